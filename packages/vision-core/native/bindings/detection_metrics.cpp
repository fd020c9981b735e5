#include "detection_metrics.hpp"

#include "bindings/bindings.hpp"

namespace vision_core {

// A field that holds an address: a number for Python.
template <class Owner, class T>
static void bind_address(nb::class_<Owner>& owner, const char* name, T* Owner::*field) {
  owner.def_prop_rw(
      name, [field](const Owner& self) { return reinterpret_cast<uintptr_t>(self.*field); },
      [field](Owner& self, uintptr_t address) { self.*field = reinterpret_cast<T*>(address); });
}

static void bind_instances(nb::module_& m) {
  nb::class_<Instances> instances(m, "Instances");
  instances.def(nb::init<>());
  bind_address(instances, "offsets", &Instances::offsets);
  bind_address(instances, "classes", &Instances::classes);
  bind_address(instances, "areas", &Instances::areas);
  bind_address(instances, "shapes", &Instances::shapes);
  bind_address(instances, "scores", &Instances::scores);
  bind_address(instances, "boxes", &Instances::boxes);
  bind_address(instances, "crowd", &Instances::crowd);
  bind_address(instances, "ignore", &Instances::ignore);
  bind_address(instances, "texts", &Instances::texts);
  bind_address(instances, "text_offsets", &Instances::text_offsets);
  bind_address(instances, "sizes", &Instances::sizes);
}

void bind_detection_metrics(nb::module_& m) {
  bind_instances(m);
  nb::class_<DetectionProblem> problem(m, "DetectionProblem");
  problem.def(nb::init<>())
      .def_rw("images", &DetectionProblem::images)
      .def_rw("classes", &DetectionProblem::classes)
      .def_rw("keypoints", &DetectionProblem::keypoints)
      .def_rw("detections", &DetectionProblem::detections)
      .def_rw("truths", &DetectionProblem::truths)
      .def_rw("iou_count", &DetectionProblem::iou_count)
      .def_rw("recall_count", &DetectionProblem::recall_count)
      .def_rw("area_count", &DetectionProblem::area_count)
      .def_rw("max_count", &DetectionProblem::max_count)
      .def_prop_rw(
          "shape", [](const DetectionProblem& self) { return static_cast<int32_t>(self.shape); },
          [](DetectionProblem& self, int32_t shape) { self.shape = static_cast<Shape>(shape); });
  bind_address(problem, "variances", &DetectionProblem::variances);
  bind_address(problem, "iou_thresholds", &DetectionProblem::iou_thresholds);
  bind_address(problem, "recall_thresholds", &DetectionProblem::recall_thresholds);
  bind_address(problem, "area_ranges", &DetectionProblem::area_ranges);
  bind_address(problem, "max_detections", &DetectionProblem::max_detections);
  bind_address(problem, "precision", &DetectionProblem::precision);
  bind_address(problem, "scores", &DetectionProblem::scores);
  bind_address(problem, "recall", &DetectionProblem::recall);
  m.def("evaluate_detections", &evaluate_detections, "problem"_a, "threads"_a, NoGil());
}

}  // namespace vision_core
