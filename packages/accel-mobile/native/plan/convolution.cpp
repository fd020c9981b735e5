#include "plan/convolution.hpp"

#include "plan/convolution_base.hpp"

namespace accel_mobile {
namespace {

void check_places(const Value& x, const Value& y, const ConvWeights& w, const Geometry& g) {
  const int64_t in[3] = {x.t, x.h, x.w}, out[3] = {y.t, y.h, y.w};
  for (int i = 0; i < 3; ++i) {
    need(g.stride[i] >= 1 && g.padding[i] >= 0 && g.dilation[i] >= 1, "convolution: stride, padding or dilation");
    const int64_t span = in[i] + 2 * g.padding[i] - g.dilation[i] * (w.kernel[i] - 1) - 1;
    need(span >= 0 && out[i] == span / g.stride[i] + 1, "convolution: the output's size does not follow from the input's");
  }
}

// `x`: what is convolved; without an expansion, the input.
void check_sizes(const Value& x, const Value& y, const ConvWeights& w, const Geometry& g) {
  check_places(x, y, w, g);
  need(x.n == y.n && x.c == w.in_channels && y.c == w.out_channels, "convolution: batch or channels differ");
  need(x.type == w.type && !w.stem, "convolution: weights of another kind");
  need(y.stride == w.columns, "convolution: the output's stride is not that of the weights");
  need(x.stride == w.columns || !w.depthwise, "depthwise convolution: stride");
  if (w.depthwise) {
    need(w.type == Type::f32 || (g.stride[0] == 1 && g.dilation[0] == 1), "depthwise int8: stride or dilation in time");
  }
}

void check(const Program& program, int x_id, int y_id, const ConvWeights& w, const Geometry& g, const Gate& gate,
           const Epilogue& e) {
  const Value &x = program.value(x_id), &y = program.value(y_id);
  check_sizes(x, y, w, g);
  need(w.type == Type::u8 || y.type == Type::f32, "convolution: a float32 convolution has a float32 result");
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

std::unique_ptr<Operation> depthwise(int x, int y, std::shared_ptr<ConvWeights> weights, const Geometry& geometry,
                                     const Epilogue& epilogue) {
  if (weights->type == Type::f32) return make_depthwise_float(x, y, Expansion{}, std::move(weights), geometry, epilogue, Value{});
  return make_depthwise_int8(x, y, Expansion{}, std::move(weights), geometry, epilogue);
}

}  // namespace

std::unique_ptr<Operation> make_convolution(const Program& program, int x, int y, std::shared_ptr<ConvWeights> weights,
                                            const Geometry& geometry, const Gate& gate, const Epilogue& epilogue) {
  check(program, x, y, *weights, geometry, gate, epilogue);
  need(!weights->depthwise || program.value(y).type == program.value(x).type, "depthwise convolution: type");
  if (weights->depthwise) return depthwise(x, y, std::move(weights), geometry, epilogue);
  return make_dense(program, x, y, std::move(weights), geometry, gate, epilogue);
}

namespace {

// Sizes of what a stem makes of the caller's planes.
Value stem_result(const Value& x, const ConvWeights& w, const Geometry& g) {
  need(w.stem && x.type == Type::f32 && x.c == w.in_channels, "stem: weights or channels");
  Value y = x;
  int64_t* const out[3] = {&y.t, &y.h, &y.w};
  for (int i = 0; i < 3; ++i) {
    need(g.stride[i] >= 1 && g.padding[i] >= 0 && g.dilation[i] >= 1, "stem: stride, padding or dilation");
    *out[i] = (*out[i] + 2 * g.padding[i] - g.dilation[i] * (w.kernel[i] - 1) - 1) / g.stride[i] + 1;
    need(*out[i] >= 1, "stem: the kernel is larger than the input");
  }
  y.c = w.out_channels, y.stride = w.columns;
  check_places(x, y, w, g);
  return y;
}

}  // namespace

std::unique_ptr<Operation> make_stem(const Program& program, int input, int x, int y, std::shared_ptr<ConvWeights> weights,
                                     const Geometry& geometry, const Epilogue& epilogue) {
  const Value made = stem_result(program.value(x), *weights, geometry);
  need(input >= 0 && epilogue.residual < 0, "stem: input or residual");
  need(program.value(y).type == Type::f32 && same_places(made, program.value(y)), "stem: sizes of the result");
  return make_stem_operation(input, x, y, std::move(weights), geometry, epilogue);
}

std::unique_ptr<Operation> make_expanded_depthwise(const Program& program, int x_id, int y_id, const Expansion& expansion,
                                                   std::shared_ptr<ConvWeights> weights, const Geometry& geometry,
                                                   const Epilogue& epilogue) {
  const ConvWeights& e = *expansion.weights;
  const Value& x = program.value(x_id);
  need(weights->depthwise && !e.depthwise && !e.one_byte && e.type == weights->type && x.type == e.type,
       "expanded depthwise convolution: a dense and a depthwise convolution of one type");
  need(epilogue.residual < 0, "expanded depthwise convolution: residual");
  Value middle = x;  // never stored
  if (e.stem) {
    need(expansion.input >= 0, "expanded depthwise convolution: number of the input");
    middle = stem_result(x, e, expansion.geometry);
  } else {
    need(e.taps() == 1 && x.c == e.in_channels && e.depth <= x.stride, "expanded depthwise convolution: not pointwise");
    middle.c = e.out_channels, middle.stride = e.columns;
  }
  const Value& y = program.value(y_id);
  check_sizes(middle, y, *weights, geometry);
  need(y.type == e.type || epilogue.inverse_scale > 0.0f, "expanded depthwise convolution: scale of the result");
  if (e.type == Type::f32) return make_depthwise_float(x_id, y_id, expansion, std::move(weights), geometry, epilogue, middle);
  return make_depthwise_int8(x_id, y_id, expansion, std::move(weights), geometry, epilogue);
}

}  // namespace accel_mobile
