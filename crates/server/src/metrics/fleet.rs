//! Clusters and container instances: how many, what they have, what is reserved and what is used.

use longshore_control::telemetry::{Sampled, Telemetry};
use longshore_model::{
    ClusterName, ClusterStatus, ContainerInstance, InstanceStatus, Resources, Timestamp,
};
use longshore_store::State;
use longshore_wire::prometheus::{Kind, Page};

const BYTES_OF_MIB: f64 = 1024.0 * 1024.0;

/// What an instance has.
struct Row {
    id: String,
    agent_connected: bool,
    status: InstanceStatus,
    registered: Resources,
    reserved: Resources,
    /// CPU units and bytes, where its agent told lately.
    used: Option<(f64, f64)>,
    /// Of its tasks, those that run and those that are to.
    running: u32,
    pending: u32,
}

struct ClusterRow {
    name: ClusterName,
    rows: Vec<Row>,
}

pub(super) fn write(page: &mut Page, state: &State, telemetry: &Telemetry, now: Timestamp) {
    let clusters: Vec<ClusterRow> = state
        .clusters()
        .filter(|it| it.status == ClusterStatus::Active)
        .map(|cluster| {
            let instances = state.instances(&cluster.name);
            let registered = instances.filter(|it| it.status != InstanceStatus::Inactive);
            let rows = registered.map(|it| row(it, state, telemetry, now)).collect();
            ClusterRow { name: cluster.name.clone(), rows }
        })
        .collect();
    write_counts(page, state, &clusters);
    write_resources(page, &clusters);
    write_instances(page, &clusters);
}

fn row(instance: &ContainerInstance, state: &State, telemetry: &Telemetry, now: Timestamp) -> Row {
    let occupancy = state.occupancy(instance.id);
    let used = telemetry.used(instance.id, now).map(|it| {
        let cpu_percent = it.cpu_percent.map_or(0.0, Sampled::mean);
        let memory_mib = it.memory_mib.map_or(0.0, Sampled::mean);
        (cpu_units(cpu_percent, instance), memory_mib * BYTES_OF_MIB)
    });
    Row {
        id: instance.id.to_string(),
        agent_connected: instance.agent_connected,
        status: instance.status,
        registered: instance.registered,
        reserved: occupancy.taken,
        used,
        running: occupancy.running,
        pending: occupancy.pending,
    }
}

/// Agents tell percents of the whole host.
pub(super) fn cpu_units(percent: f64, instance: &ContainerInstance) -> f64 {
    percent / 100.0 * f64::from(instance.registered.cpu_units)
}

pub(super) fn bytes(mib: f64) -> f64 {
    mib * BYTES_OF_MIB
}

fn write_counts(page: &mut Page, state: &State, clusters: &[ClusterRow]) {
    let help = "Registered container instances by status.";
    let mut metric = page.metric("longshore_container_instances", Kind::Gauge, help);
    for ClusterRow { name, rows } in clusters {
        for status in [InstanceStatus::Active, InstanceStatus::Draining] {
            let count = rows.iter().filter(|it| it.status == status).count();
            let labels = [("cluster", name.as_str()), ("status", status.as_str())];
            metric.sample(&labels, count as f64);
        }
    }
    let help = "Registered container instances whose agent is connected.";
    let mut metric = page.metric("longshore_agents_connected", Kind::Gauge, help);
    for ClusterRow { name, rows } in clusters {
        let connected = rows.iter().filter(|it| it.agent_connected).count();
        metric.sample(&[("cluster", name.as_str())], connected as f64);
    }
    let help = "Tasks by last status; STOPPED ones as long as they are remembered.";
    let mut metric = page.metric("longshore_tasks", Kind::Gauge, help);
    for ClusterRow { name, .. } in clusters {
        let counts = state.counts(name);
        let (running, pending) = (f64::from(counts.running_tasks), f64::from(counts.pending_tasks));
        let stopped = state.task_count(name) as f64 - running - pending;
        for (status, count) in [("PENDING", pending), ("RUNNING", running), ("STOPPED", stopped)] {
            metric.sample(&[("cluster", name.as_str()), ("status", status)], count);
        }
    }
    let help = "RunTask calls that could place nothing.";
    let mut metric = page.metric("longshore_placement_failures_total", Kind::Counter, help);
    for cluster in state.clusters().filter(|it| it.status == ClusterStatus::Active) {
        metric.sample(&[("cluster", cluster.name.as_str())], cluster.placement_failures as f64);
    }
}

/// One amount of an instance, of which a cluster has the sum.
struct Amount {
    /// Such as `registered_cpu_units`.
    name: &'static str,
    help: &'static str,
    of: fn(&Row) -> Option<f64>,
}

const AMOUNTS: [Amount; 6] = [
    Amount {
        name: "registered_cpu_units",
        help: "CPU units (1024 are a core) that are registered.",
        of: |it| Some(it.registered.cpu_units.into()),
    },
    Amount {
        name: "reserved_cpu_units",
        help: "CPU units that tasks have reserved.",
        of: |it| Some(it.reserved.cpu_units.into()),
    },
    Amount {
        name: "used_cpu_units",
        help: "CPU units that tasks use, as agents told in the last 90 seconds.",
        of: |it| it.used.map(|it| it.0),
    },
    Amount {
        name: "registered_memory_bytes",
        help: "Memory that is registered.",
        of: |it| Some(bytes(it.registered.memory_mib.into())),
    },
    Amount {
        name: "reserved_memory_bytes",
        help: "Memory that tasks have reserved.",
        of: |it| Some(bytes(it.reserved.memory_mib.into())),
    },
    Amount {
        name: "used_memory_bytes",
        help: "Memory that tasks use, as agents told in the last 90 seconds.",
        of: |it| it.used.map(|it| it.1),
    },
];

/// An amount that no agent told is left out, and not taken for nothing.
fn write_resources(page: &mut Page, clusters: &[ClusterRow]) {
    for amount in &AMOUNTS {
        let name = format!("longshore_cluster_{}", amount.name);
        let help = format!("{} In a cluster, together.", amount.help);
        let mut metric = page.metric(&name, Kind::Gauge, &help);
        for ClusterRow { name, rows } in clusters {
            let told: Vec<f64> = rows.iter().filter_map(amount.of).collect();
            if rows.is_empty() || !told.is_empty() {
                metric.sample(&[("cluster", name.as_str())], told.iter().sum());
            }
        }
        let name = format!("longshore_container_instance_{}", amount.name);
        let help = format!("{} On a container instance.", amount.help);
        let mut metric = page.metric(&name, Kind::Gauge, &help);
        each_instance(clusters, |labels, row| {
            if let Some(value) = (amount.of)(row) {
                metric.sample(labels, value);
            }
        });
    }
}

fn write_instances(page: &mut Page, clusters: &[ClusterRow]) {
    let help = "Whether the agent of a container instance is connected.";
    let name = "longshore_container_instance_agent_connected";
    let mut metric = page.metric(name, Kind::Gauge, help);
    each_instance(clusters, |labels, row| {
        metric.sample(labels, f64::from(u8::from(row.agent_connected)));
    });
    let help = "Tasks of a container instance that have not stopped, by last status.";
    let mut metric = page.metric("longshore_container_instance_tasks", Kind::Gauge, help);
    each_instance(clusters, |&[cluster, instance], row| {
        for (status, count) in [("PENDING", row.pending), ("RUNNING", row.running)] {
            metric.sample(&[cluster, instance, ("status", status)], count.into());
        }
    });
}

fn each_instance(clusters: &[ClusterRow], mut each: impl FnMut(&[(&str, &str); 2], &Row)) {
    for ClusterRow { name, rows } in clusters {
        for row in rows {
            each(&[("cluster", name.as_str()), ("container_instance", &row.id)], row);
        }
    }
}
