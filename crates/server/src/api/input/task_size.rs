//! CPU and memory of a task as a whole, in requests.

use longshore_model::task_size::{self, TaskSize};

use crate::api::exception::Exception;

/// CPU units or vCPU, and MiB or GB; empty texts say nothing.
pub(in crate::api) fn parse_size(
    cpu: Option<String>,
    memory: Option<String>,
) -> Result<TaskSize, Exception> {
    let read = |text: Option<String>, parse: fn(&str) -> Option<u32>, refusal: &str| {
        let Some(text) = text.filter(|it| !it.is_empty()) else { return Ok(None) };
        parse(&text).map(Some).ok_or_else(|| Exception::invalid(refusal))
    };
    Ok(TaskSize {
        cpu_units: read(
            cpu,
            task_size::parse_cpu,
            "Invalid 'cpu' setting for task. It must be 128 to 196608 CPU units, such as '256', or as many vCPU, such as '0.25 vCPU'.",
        )?,
        memory_mib: read(
            memory,
            task_size::parse_memory,
            "Invalid 'memory' setting for task. It must be at least 4 MiB, such as '512', or in GB, such as '0.5 GB'.",
        )?,
    })
}
