#include "plan/convolution.hpp"

#include "plan/convolution_base.hpp"

namespace accel_mobile {
namespace {

void check(const Program& program, int x_id, int y_id, const ConvWeights& w, const Geometry& g, const Gate& gate,
           const Epilogue& e) {
  const Value &x = program.value(x_id), &y = program.value(y_id);
  const int64_t in[3] = {x.t, x.h, x.w}, out[3] = {y.t, y.h, y.w};
  for (int i = 0; i < 3; ++i) {
    need(g.stride[i] >= 1 && g.padding[i] >= 0 && g.dilation[i] >= 1, "convolution: stride, padding or dilation");
    const int64_t span = in[i] + 2 * g.padding[i] - g.dilation[i] * (w.kernel[i] - 1) - 1;
    need(span >= 0 && out[i] == span / g.stride[i] + 1, "convolution: the output's size does not follow from the input's");
  }
  need(x.n == y.n && x.c == w.in_channels && y.c == w.out_channels, "convolution: batch or channels differ");
  need(x.type == w.type, "convolution: weights of another type");
  need(y.stride == w.columns, "convolution: the output's stride is not that of the weights");
  need(w.type == Type::u8 || y.type == Type::f32, "convolution: a float32 convolution has a float32 result");
  if (w.depthwise) {
    need(x.stride == w.columns && y.type == x.type, "depthwise convolution: stride or type");
    need(w.type == Type::f32 || (g.stride[0] == 1 && g.dilation[0] == 1), "depthwise int8: stride or dilation in time");
  }
  if (e.residual >= 0) {
    const Value& r = program.value(e.residual);
    need(!w.depthwise && !w.one_byte && r.type == y.type && r.rows() == y.rows() && r.stride == y.stride, "convolution: residual");
  }
  if (gate.value >= 0) {
    const Value& s = program.value(gate.value);
    need(!w.depthwise && w.taps() == 1 && s.type == Type::f32, "convolution: a gate needs a pointwise convolution");
    need(s.rows() == x.n && s.stride == x.stride, "convolution: the gate's sizes");
  }
}

}  // namespace

std::unique_ptr<Operation> make_convolution(const Program& program, int x, int y, std::shared_ptr<ConvWeights> weights,
                                            const Geometry& geometry, const Gate& gate, const Epilogue& epilogue) {
  check(program, x, y, *weights, geometry, gate, epilogue);
  if (weights->depthwise) return make_depthwise(x, y, std::move(weights), geometry, epilogue);
  return make_dense(program, x, y, std::move(weights), geometry, gate, epilogue);
}

}  // namespace accel_mobile
