//! What an agent registers of its machine.

use serde_json::{Value, json};

/// A machine. The default has two cores, 4 GiB, and an agent of June 2017 with all that it can do.
#[derive(Clone)]
pub(crate) struct Machine {
    pub(crate) cluster: &'static str,
    pub(crate) cpu: i32,
    pub(crate) memory: i32,
    /// Custom attributes, as `name` or `name=value`.
    pub(crate) attributes: &'static [&'static str],
    /// Without the prefix that all share.
    pub(crate) capabilities: &'static [&'static str],
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            cluster: "default",
            cpu: 2048,
            memory: 4096,
            attributes: &[],
            capabilities: &[
                "privileged-container",
                "docker-remote-api.1.17",
                "docker-remote-api.1.18",
                "docker-remote-api.1.19",
                "docker-remote-api.1.20",
                "docker-remote-api.1.21",
                "logging-driver.json-file",
            ],
        }
    }
}

impl Machine {
    /// The body of its RegisterContainerInstance.
    pub(crate) fn registration(&self) -> Value {
        let custom = self.attributes.iter().map(|it| match it.split_once('=') {
            Some((name, value)) => json!({"name": name, "value": value}),
            None => json!({"name": it}),
        });
        let capabilities = self
            .capabilities
            .iter()
            .map(|it| json!({"name": format!("com.amazonaws.ecs.capability.{it}")}));
        let attributes: Vec<Value> = custom.chain(capabilities).collect();
        json!({
            "cluster": self.cluster,
            "totalResources": [
                {"name": "CPU", "type": "INTEGER", "integerValue": self.cpu},
                {"name": "MEMORY", "type": "INTEGER", "integerValue": self.memory},
                {"name": "PORTS", "type": "STRINGSET",
                 "stringSetValue": ["22", "2375", "2376", "51678", "51679"]},
                {"name": "PORTS_UDP", "type": "STRINGSET", "stringSetValue": []}
            ],
            "attributes": attributes,
        })
    }
}
