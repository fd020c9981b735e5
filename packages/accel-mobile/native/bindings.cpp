// The native module: packed weights, and programs that Python builds operation by operation and runs by one call.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "plan/convolution.hpp"
#include "plan/program.hpp"
#include "plan/simple_operations.hpp"
#include "plan/weights.hpp"
#include "vision/bindings.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace accel_mobile {
namespace {

template <class T>
using Array = nb::ndarray<const T, nb::c_contig, nb::device::cpu>;
using Triple = std::array<int64_t, 3>;

void need(bool condition, const char* text) {
  if (!condition) throw std::invalid_argument(text);
}

template <class T>
const T* channels(const std::optional<Array<T>>& values, int64_t count, const char* text) {
  if (!values) return nullptr;
  need(static_cast<int64_t>(values->size()) == count, text);
  return values->data();
}

template <class T>
std::array<int64_t, 3> kernel_of(const Array<T>& weight) {
  need(weight.ndim() == 5, "weight: expected (out, in, time, height, width)");
  return {static_cast<int64_t>(weight.shape(2)), static_cast<int64_t>(weight.shape(3)),
          static_cast<int64_t>(weight.shape(4))};
}

std::shared_ptr<ConvWeights> pack_f32(Array<float> weight, std::optional<Array<float>> bias, bool depthwise, bool stem) {
  const Triple kernel = kernel_of(weight);
  const int64_t out = weight.shape(0), in = weight.shape(1);
  const float* b = channels(bias, out, "bias: one value per output channel");
  if (stem) return pack_stem_f32(weight.data(), b, out, in, kernel.data());
  if (!depthwise) return pack_dense_f32(weight.data(), b, out, in, kernel.data());
  need(in == 1, "a depthwise weight has one input channel per group");
  return pack_depthwise_f32(weight.data(), b, out, kernel.data());
}

std::shared_ptr<ConvWeights> pack_w8(Array<int8_t> weight, Array<float> scale, std::optional<Array<float>> bias) {
  need(weight.ndim() == 2, "weight: expected (out, in)");
  const int64_t out = weight.shape(0), in = weight.shape(1);
  need(static_cast<int64_t>(scale.size()) == out, "scale: one value per output channel");
  return pack_dense_w8(weight.data(), scale.data(), channels(bias, out, "bias: one value per output channel"), out, in);
}

std::shared_ptr<ConvWeights> pack_u8(Array<int8_t> weight, Array<int32_t> bias, Array<float> multiplier, bool depthwise,
                                     int32_t x_zero_point) {
  const Triple kernel = kernel_of(weight);
  const int64_t out = weight.shape(0), in = weight.shape(1);
  need(static_cast<int64_t>(bias.size()) == out, "bias: one value per output channel");
  need(static_cast<int64_t>(multiplier.size()) == out, "multiplier: one value per output channel");
  if (!depthwise)
    return pack_dense_u8(weight.data(), bias.data(), multiplier.data(), out, in, kernel.data(), x_zero_point);
  need(in == 1, "a depthwise weight has one input channel per group");
  return pack_depthwise_u8(weight.data(), bias.data(), multiplier.data(), out, kernel.data(), x_zero_point);
}

std::shared_ptr<Buffer> table_buffer(const std::optional<Array<uint8_t>>& table) {
  if (!table) return nullptr;
  need(table->size() == 256, "a table has 256 entries");
  auto buffer = std::make_shared<Buffer>(256);
  std::memcpy(buffer->as<uint8_t>(), table->data(), 256);
  return buffer;
}

const uint8_t* table_data(const std::optional<Array<uint8_t>>& table) {
  if (!table) return nullptr;
  need(table->size() == 256, "a table has 256 entries");
  return table->data();
}

std::vector<const void*> pointers(const std::vector<uintptr_t>& addresses) {
  std::vector<const void*> result;
  for (uintptr_t address : addresses) result.push_back(reinterpret_cast<const void*>(address));
  return result;
}

std::vector<void*> places(const std::vector<uintptr_t>& addresses) {
  std::vector<void*> result;
  for (uintptr_t address : addresses) result.push_back(reinterpret_cast<void*>(address));
  return result;
}

Geometry geometry_of(const Triple& stride, const Triple& padding, const Triple& dilation) {
  Geometry geometry;
  for (int i = 0; i < 3; ++i)
    geometry.stride[i] = stride[i], geometry.padding[i] = padding[i], geometry.dilation[i] = dilation[i];
  return geometry;
}

void add_convolution(Program& p, int x, int y, std::shared_ptr<ConvWeights> weights, Triple stride, Triple padding,
                     Triple dilation, int residual, int32_t activation, int gate, int32_t gate_activation, bool relu,
                     int32_t y_zero_point, int32_t residual_zero_point, float residual_multiplier,
                     std::optional<Array<uint8_t>> table, float gate_multiplier, int32_t gate_x_zero_point,
                     int32_t gate_zero_point, std::optional<Array<uint8_t>> gate_table) {
  need(weights != nullptr, "weights are needed");
  Gate before;
  before.value = gate, before.activation = gate_activation, before.multiplier = gate_multiplier;
  before.x_zero_point = gate_x_zero_point, before.zero_point = gate_zero_point, before.table = table_buffer(gate_table);
  Epilogue after;
  after.residual = residual, after.activation = activation, after.relu = relu, after.y_zero_point = y_zero_point;
  after.residual_zero_point = residual_zero_point, after.residual_multiplier = residual_multiplier;
  after.table = table_buffer(table);
  p.add(make_convolution(p, x, y, std::move(weights), geometry_of(stride, padding, dilation), before, after));
}

struct StemInput {
  int number = -1;
  Triple stride{1, 1, 1}, padding{0, 0, 0}, dilation{1, 1, 1};
};

void add_expanded_depthwise(Program& p, int x, int y, std::shared_ptr<ConvWeights> expand, std::shared_ptr<ConvWeights> weights,
                            Triple stride, Triple padding, Triple dilation, std::optional<StemInput> stem,
                            int32_t expand_activation, int32_t activation, bool expand_relu, int32_t expand_zero_point,
                            std::optional<Array<uint8_t>> expand_table, bool relu, int32_t y_zero_point,
                            std::optional<Array<uint8_t>> table, float inverse_scale) {
  need(expand != nullptr && weights != nullptr, "weights are needed");
  const StemInput planes = stem.value_or(StemInput{});
  const Expansion expansion{std::move(expand),
                            planes.number,
                            geometry_of(planes.stride, planes.padding, planes.dilation),
                            expand_activation,
                            expand_relu,
                            expand_zero_point,
                            table_buffer(expand_table)};
  Epilogue after;
  after.activation = activation, after.relu = relu, after.y_zero_point = y_zero_point, after.table = table_buffer(table);
  after.inverse_scale = inverse_scale;
  p.add(make_expanded_depthwise(p, x, y, expansion, std::move(weights), geometry_of(stride, padding, dilation), after));
}

void add_stem(Program& p, const StemInput& input, int x, int y, std::shared_ptr<ConvWeights> weights, int32_t activation) {
  need(weights != nullptr, "weights are needed");
  Epilogue after;
  after.activation = activation;
  p.add(make_stem(p, input.number, x, y, std::move(weights), geometry_of(input.stride, input.padding, input.dilation), after));
}

void bind_program(nb::module_& m) {
  nb::class_<StemInput>(m, "StemInput")
      .def(
          "__init__",
          [](StemInput* at, int number, Triple stride, Triple padding, Triple dilation) {
            new (at) StemInput{number, stride, padding, dilation};
          },
          "number"_a, "stride"_a, "padding"_a, "dilation"_a, "A caller's tensor, and how a stem's taps lie in it.");
  nb::class_<Program>(m, "Program")
      .def(nb::init<>())
      .def(
          "value",
          [](Program& p, bool is_float, std::array<int64_t, 5> sizes, int64_t stride) {
            return p.add_value(is_float ? Type::f32 : Type::u8, sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], stride);
          },
          "is_float"_a, "sizes"_a, "stride"_a, "Declare a value of sizes (n, t, h, w, c); returns its number.")
      .def("input", [](Program& p, int index, int y) { p.add(make_input(p, index, y)); })
      .def("output", [](Program& p, int x, int index) { p.add(make_output(p, x, index)); })
      .def("convolution", &add_convolution, "x"_a, "y"_a, "weights"_a, "stride"_a, "padding"_a, "dilation"_a, nb::kw_only(),
           "residual"_a = -1, "activation"_a = 0, "gate"_a = -1, "gate_activation"_a = 0, "relu"_a = false,
           "y_zero_point"_a = 0, "residual_zero_point"_a = 0, "residual_multiplier"_a = 0.0f, "table"_a = nb::none(),
           "gate_multiplier"_a = 1.0f, "gate_x_zero_point"_a = 0, "gate_zero_point"_a = 0, "gate_table"_a = nb::none())
      .def("expanded_depthwise", &add_expanded_depthwise, "x"_a, "y"_a, "expand"_a, "weights"_a, "stride"_a, "padding"_a,
           "dilation"_a, nb::kw_only(), "stem"_a = nb::none(), "expand_activation"_a = 0, "activation"_a = 0, "expand_relu"_a = false,
           "expand_zero_point"_a = 0, "expand_table"_a = nb::none(), "relu"_a = false, "y_zero_point"_a = 0,
           "table"_a = nb::none(), "inverse_scale"_a = 0.0f)
      .def("stem", &add_stem, "input"_a, "x"_a, "y"_a, "weights"_a, "activation"_a)
      .def("activation", [](Program& p, int x, int y, int32_t kind) { p.add(make_activation(p, x, y, kind)); })
      .def("add", [](Program& p, int a, int b, int y, int32_t kind) { p.add(make_add(p, a, b, y, kind)); })
      .def("multiply", [](Program& p, int a, int b, int y) { p.add(make_multiply(p, a, b, y)); })
      .def("affine",
           [](Program& p, int x, int y, Array<float> scale, Array<float> shift, int32_t kind) {
             const size_t count = static_cast<size_t>(p.value(x).c);
             need(scale.size() == count && shift.size() == count, "affine: one value per channel");
             p.add(make_affine(p, x, y, scale.data(), shift.data(), kind));
           })
      .def("channel_scale",
           [](Program& p, int x, int gate, int y, int32_t kind) { p.add(make_channel_scale(p, x, gate, y, kind)); })
      .def("global_average",
           [](Program& p, int x, int y, int32_t zero_point, float scale) {
             p.add(make_global_average(p, x, y, zero_point, scale));
           })
      .def("pool",
           [](Program& p, int x, int y, bool maximum, Triple kernel, Triple stride, Triple padding, bool count_padding) {
             p.add(make_pool(p, x, y, maximum, kernel.data(), stride.data(), padding.data(), count_padding));
           })
      .def("softmax", [](Program& p, int x, int y) { p.add(make_softmax(p, x, y)); })
      .def("quantize", [](Program& p, int x, int y, float inverse_scale,
                          int32_t zero_point) { p.add(make_quantize(p, x, y, inverse_scale, zero_point)); })
      .def("dequantize", [](Program& p, int x, int y, float scale,
                            int32_t zero_point) { p.add(make_dequantize(p, x, y, scale, zero_point)); })
      .def("lookup",
           [](Program& p, int x, int y, Array<uint8_t> table) { p.add(make_lookup(p, x, y, table_data(table))); })
      .def(
          "add_int8",
          [](Program& p, int a, int b, int y, std::array<int32_t, 2> zero_points, std::array<float, 2> multipliers,
             int32_t y_zero_point, bool relu, std::optional<Array<uint8_t>> table) {
            p.add(make_add_int8(p, a, b, y, zero_points.data(), multipliers.data(), y_zero_point, relu, table_data(table)));
          },
          "a"_a, "b"_a, "y"_a, "zero_points"_a, "multipliers"_a, "y_zero_point"_a, "relu"_a, "table"_a = nb::none())
      .def(
          "channel_scale_int8",
          [](Program& p, int x, int gate, int y, float multiplier, int32_t x_zero_point, int32_t y_zero_point,
             std::optional<Array<uint8_t>> table) {
            p.add(make_channel_scale_int8(p, x, gate, y, multiplier, x_zero_point, y_zero_point, table_data(table)));
          },
          "x"_a, "gate"_a, "y"_a, "multiplier"_a, "x_zero_point"_a, "y_zero_point"_a, "table"_a = nb::none())
      .def("finish", &Program::finish, "Place all values in the arena.")
      .def(
          "run",
          [](const Program& p, const std::vector<uintptr_t>& inputs, const std::vector<uintptr_t>& outputs, int threads) {
            const auto from = pointers(inputs);
            const auto to = places(outputs);
            nb::gil_scoped_release release;
            p.run(from.data(), to.data(), threads);
          },
          "inputs"_a, "outputs"_a, "threads"_a, "Run on the addresses of dense float32 tensors.")
      .def("profile",
           [](const Program& p, const std::vector<uintptr_t>& inputs, const std::vector<uintptr_t>& outputs, int threads) {
             return p.profile(pointers(inputs).data(), places(outputs).data(), threads);
           })
      .def("kernel", [](const Program& p, size_t index) { return p.operation(index).kernel(); })
      .def_prop_ro("operations", &Program::operation_count)
      .def_prop_ro("arena_bytes", &Program::arena_bytes);
}

}  // namespace
}  // namespace accel_mobile

NB_MODULE(_native_ext, m) {
  using namespace accel_mobile;
  vision::bind_common(m);
  nb::class_<ConvWeights>(m, "ConvWeights").def_prop_ro("bytes", &ConvWeights::bytes);
  m.def("pack_f32", &pack_f32, "weight"_a.noconvert(), "bias"_a.noconvert().none(), "depthwise"_a, "stem"_a);
  m.def("pack_w8", &pack_w8, "weight"_a.noconvert(), "scale"_a.noconvert(), "bias"_a.noconvert().none());
  m.def("pack_u8", &pack_u8, "weight"_a.noconvert(), "bias"_a.noconvert(), "multiplier"_a.noconvert(), "depthwise"_a,
        "x_zero_point"_a);
  bind_program(m);
}
