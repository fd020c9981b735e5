#include "plan/convolution.hpp"

#include "plan/convolution_base.hpp"

namespace accel_mobile {
namespace {

// `x`: what is convolved; without an expansion, the input.
void check_sizes(const Value& x, const Value& y, const ConvWeights& w, const Geometry& g) {
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
  need(x.stride == w.columns || !w.depthwise, "depthwise convolution: stride");
  if (w.depthwise) {
    need(y.type == x.type, "depthwise convolution: type");
    need(w.type == Type::f32 || (g.stride[0] == 1 && g.dilation[0] == 1), "depthwise int8: stride or dilation in time");
  }
}

void check(const Program& program, int x_id, int y_id, const ConvWeights& w, const Geometry& g, const Gate& gate,
           const Epilogue& e) {
  const Value &x = program.value(x_id), &y = program.value(y_id);
  check_sizes(x, y, w, g);
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

std::unique_ptr<Operation> depthwise(int x, int y, const Expansion& expansion, std::shared_ptr<ConvWeights> weights,
                                     const Geometry& geometry, const Epilogue& epilogue) {
  if (weights->type == Type::f32) return make_depthwise_float(x, y, expansion, std::move(weights), geometry, epilogue);
  return make_depthwise_int8(x, y, expansion, std::move(weights), geometry, epilogue);
}

}  // namespace

std::unique_ptr<Operation> make_convolution(const Program& program, int x, int y, std::shared_ptr<ConvWeights> weights,
                                            const Geometry& geometry, const Gate& gate, const Epilogue& epilogue) {
  check(program, x, y, *weights, geometry, gate, epilogue);
  if (weights->depthwise) return depthwise(x, y, Expansion{}, std::move(weights), geometry, epilogue);
  return make_dense(program, x, y, std::move(weights), geometry, gate, epilogue);
}

std::unique_ptr<Operation> make_expanded_depthwise(const Program& program, int x_id, int y_id, const Expansion& expansion,
                                                   std::shared_ptr<ConvWeights> weights, const Geometry& geometry,
                                                   const Epilogue& epilogue) {
  const ConvWeights& e = *expansion.weights;
  const Value& x = program.value(x_id);
  need(weights->depthwise && !e.depthwise && !e.one_byte && e.taps() == 1 && e.type == weights->type,
       "expanded depthwise convolution: a pointwise and a depthwise convolution of one type");
  need(x.type == e.type && x.c == e.in_channels && e.depth <= x.stride, "expanded depthwise convolution: input");
  need(epilogue.residual < 0, "expanded depthwise convolution: residual");
  Value middle = x;  // never stored
  middle.c = e.out_channels, middle.stride = e.columns;
  check_sizes(middle, program.value(y_id), *weights, geometry);
  return depthwise(x_id, y_id, expansion, std::move(weights), geometry, epilogue);
}

}  // namespace accel_mobile
