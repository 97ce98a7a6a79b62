//! What each container of each running task uses, for those who ask.

use longshore_control::telemetry::{Sampled, Telemetry, Traffic};
use longshore_model::LastStatus;
use longshore_store::State;
use longshore_wire::prometheus::{Kind, Page};

use super::fleet::{bytes, cpu_units};

/// One container, or all of a task together where its agent names none.
struct Row {
    cluster: String,
    family: String,
    task: String,
    container: String,
    cpu_units: Option<f64>,
    memory_bytes: Option<f64>,
    traffic: Option<Traffic>,
}

pub(super) fn write(page: &mut Page, state: &State, telemetry: &Telemetry) {
    let rows = rows(state, telemetry);
    type Amount = (&'static str, Kind, &'static str, fn(&Row) -> Option<f64>);
    let amounts: [Amount; 6] = [
        ("used_cpu_units", Kind::Gauge, "CPU units that a container uses.", |it| it.cpu_units),
        ("used_memory_bytes", Kind::Gauge, "Memory that a container uses.", |it| it.memory_bytes),
        ("network_received_bytes_total", Kind::Counter, "Received over the network.", |it| {
            it.traffic.map(|it| it.received as f64)
        }),
        ("network_sent_bytes_total", Kind::Counter, "Sent over the network.", |it| {
            it.traffic.map(|it| it.sent as f64)
        }),
        ("storage_read_bytes_total", Kind::Counter, "Read from block devices.", |it| {
            it.traffic.map(|it| it.read as f64)
        }),
        ("storage_written_bytes_total", Kind::Counter, "Written to block devices.", |it| {
            it.traffic.map(|it| it.written as f64)
        }),
    ];
    for (name, kind, help, of) in amounts {
        let name = format!("longshore_task_container_{name}");
        let mut metric = page.metric(&name, kind, help);
        for row in &rows {
            if let Some(value) = of(row) {
                let labels = [
                    ("cluster", row.cluster.as_str()),
                    ("family", &row.family),
                    ("task", &row.task),
                    ("container", &row.container),
                ];
                metric.sample(&labels, value);
            }
        }
    }
}

fn rows(state: &State, telemetry: &Telemetry) -> Vec<Row> {
    let mut rows = Vec::new();
    for task in state.all_tasks().filter(|it| it.last_status != LastStatus::Stopped) {
        let Some(instance) = state.instance(task.container_instance) else { continue };
        telemetry.latest(task.id, |container, minute, traffic| {
            let usage = minute.usage();
            rows.push(Row {
                cluster: task.cluster.to_string(),
                family: task.definition.family.to_string(),
                task: task.id.to_string(),
                container: container.map(ToString::to_string).unwrap_or_default(),
                cpu_units: usage.cpu_percent.map(|it| cpu_units(it.mean(), instance)),
                memory_bytes: usage.memory_mib.map(Sampled::mean).map(bytes),
                traffic,
            });
        });
    }
    rows
}
