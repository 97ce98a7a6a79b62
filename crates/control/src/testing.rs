//! Values that tests begin with.

use longshore_model::ContainerDefinition;

/// A container with 128 MiB and nothing else set.
pub(crate) fn container(name: &str) -> ContainerDefinition {
    let name = name.parse().expect("a test's name is valid");
    ContainerDefinition { memory_mib: Some(128), ..ContainerDefinition::new(name, "image".into()) }
}
