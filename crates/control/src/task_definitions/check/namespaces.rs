//! Members that set something in a namespace, which must be the task's or the container's own.

use longshore_model::container_definition::ContainerDefinition;
use longshore_model::task_definition::{IpcMode, NetworkMode};

use super::{DefinitionError, Registration};

pub(super) fn check(registration: &Registration) -> Result<(), DefinitionError> {
    for container in &registration.containers {
        check_shared_memory(container, registration.ipc_mode)?;
        check_system_controls(container, registration)?;
    }
    if registration.ipc_mode == Some(IpcMode::Task) {
        check_shared_controls(&registration.containers)?;
    }
    Ok(())
}

fn check_shared_memory(
    container: &ContainerDefinition,
    mode: Option<IpcMode>,
) -> Result<(), DefinitionError> {
    let size = container.linux_parameters.as_ref().and_then(|it| it.shared_memory_size_mib);
    match mode {
        Some(mode) if size.is_some() => Err(DefinitionError::SharedNamespace {
            member: "sharedMemorySize",
            container: container.name.clone(),
            mode: format!("ipcMode={}", mode.as_str()),
        }),
        _ => Ok(()),
    }
}

fn check_system_controls(
    container: &ContainerDefinition,
    registration: &Registration,
) -> Result<(), DefinitionError> {
    let refusal = |mode: String| DefinitionError::SharedNamespace {
        member: "systemControls",
        container: container.name.clone(),
        mode,
    };
    let controls = container.system_controls.as_deref().unwrap_or_default();
    for (at, control) in controls.iter().enumerate() {
        if controls[..at].iter().any(|it| it.namespace == control.namespace) {
            return Err(DefinitionError::RepeatedSystemControl(control.namespace.clone()));
        }
        match (control.is_of_network(), registration.network_mode, registration.ipc_mode) {
            (true, Some(NetworkMode::Host), _) => return Err(refusal("networkMode=host".into())),
            (false, _, Some(IpcMode::Host)) => return Err(refusal("ipcMode=host".into())),
            _ => {}
        }
    }
    Ok(())
}

/// Containers that share a namespace share its parameters.
fn check_shared_controls(containers: &[ContainerDefinition]) -> Result<(), DefinitionError> {
    let controls = containers.iter().flat_map(|it| it.system_controls.iter().flatten());
    let mut seen = Vec::new();
    for control in controls.filter(|it| it.is_of_ipc()) {
        if seen.contains(&control.namespace.as_str()) {
            return Err(DefinitionError::RepeatedSystemControl(control.namespace.clone()));
        }
        seen.push(&control.namespace);
    }
    Ok(())
}
