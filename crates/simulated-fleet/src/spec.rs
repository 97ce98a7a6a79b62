//! What a fleet consists of, as words of a command line, and the agents that follow from it.

use std::str::FromStr;

use crate::agent::AgentSpec;
use crate::plan::Plan;

/// The size of some instances of a fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// In all.
    pub cpu_units: i32,
    /// In all.
    pub memory_mib: i32,
    /// How many instances in a row have it.
    pub weight: u16,
}

/// An attribute, and the values that instances have in turn; without any, it has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeValues {
    /// Such as `stack`.
    pub name: String,
    /// Such as `a`, `b` and `c`.
    pub values: Vec<String>,
}

/// A word that says no shape or no attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// Of a shape.
    #[error(
        "a shape is CPUxMEMORY or CPUxMEMORY:WEIGHT, in CPU units and MiB, such as 4096x16384:3"
    )]
    Shape,
    /// Of an attribute.
    #[error("an attribute is NAME or NAME=VALUE,VALUE,..., such as rack=1,2,3")]
    Attribute,
}

impl FromStr for Shape {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (size, weight) = text.split_once(':').unwrap_or((text, "1"));
        let (cpu, memory) = size.split_once('x').ok_or(SpecError::Shape)?;
        let positive = |text: &str| text.parse().ok().filter(|it: &i32| *it > 0);
        let shape = || {
            Some(Self {
                cpu_units: positive(cpu)?,
                memory_mib: positive(memory)?,
                weight: weight.parse().ok().filter(|it| *it > 0)?,
            })
        };
        shape().ok_or(SpecError::Shape)
    }
}

impl FromStr for AttributeValues {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (name, values) = match text.split_once('=') {
            Some((name, values)) => (name, values.split(',').map(str::to_owned).collect()),
            None => (text, Vec::new()),
        };
        if name.is_empty() || values.iter().any(String::is_empty) {
            return Err(SpecError::Attribute);
        }
        Ok(Self { name: name.into(), values })
    }
}

/// What a fleet consists of.
#[derive(Clone, Debug)]
pub struct FleetSpec {
    /// How many.
    pub instances: u32,
    /// In turn, each as often as it weighs. There is at least one.
    pub shapes: Vec<Shape>,
    /// The first one changes its value from instance to instance, the second each time that the
    /// first has had all of its, and so on: every combination comes up equally often.
    pub attributes: Vec<AttributeValues>,
    /// TCP host ports that tasks do not get.
    pub reserved_ports: Vec<u16>,
    /// What becomes of tasks.
    pub plan: Plan,
}

impl FleetSpec {
    /// Its agents, in the order in which they are started.
    pub fn agents(&self) -> impl Iterator<Item = AgentSpec> + '_ {
        let shapes = self.shapes.iter();
        let shapes: Vec<Shape> =
            shapes.flat_map(|it| std::iter::repeat_n(*it, it.weight.into())).collect();
        (0..self.instances).zip(shapes.into_iter().cycle()).map(|(number, shape)| AgentSpec {
            cpu_units: shape.cpu_units,
            memory_mib: shape.memory_mib,
            reserved_ports: self.reserved_ports.clone(),
            attributes: self.attributes_of(number),
            plan: Some(self.plan),
            is_clumsy: false,
            takes_manifests: true,
            seed: self.plan.seed.wrapping_add(number.into()),
        })
    }

    fn attributes_of(&self, number: u32) -> Vec<(String, Option<String>)> {
        let mut number = usize::try_from(number).unwrap_or(0);
        let value = |it: &AttributeValues| {
            let count = it.values.len().max(1);
            let value = it.values.get(number % count).cloned();
            number /= count;
            (it.name.clone(), value)
        };
        self.attributes.iter().map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(instances: u32, shapes: &str, attributes: &str, expect: &str) {
        let spec = FleetSpec {
            instances,
            shapes: shapes.split(' ').map(|it| it.parse().unwrap()).collect(),
            attributes: attributes.split_whitespace().map(|it| it.parse().unwrap()).collect(),
            reserved_ports: Vec::new(),
            plan: Plan::RUN,
        };
        let agent = |it: AgentSpec| {
            let values = it.attributes.iter().map(|(_, value)| value.as_deref().unwrap_or("-"));
            let values: Vec<&str> = values.collect();
            format!("{}x{}{}", it.cpu_units, it.memory_mib, values.join(""))
        };
        let agents: Vec<String> = spec.agents().map(agent).collect();
        assert_eq!(agents.join(" "), expect);
    }

    #[test]
    fn shapes_come_in_turn_as_often_as_they_weigh() {
        check(4, "1x2", "", "1x2 1x2 1x2 1x2");
        check(5, "1x2:2 8x8", "", "1x2 1x2 8x8 1x2 1x2");
        check(0, "1x2", "", "");
    }

    #[test]
    fn every_combination_of_values_comes_up() {
        check(6, "1x1", "zone=a,b rack=c,d ssd", "1x1ac- 1x1bc- 1x1ad- 1x1bd- 1x1ac- 1x1bc-");
    }

    #[test]
    fn words_that_say_nothing_are_refused() {
        for text in ["", "1", "1x", "x1", "0x1", "1x0", "1x1:0", "1x1:", "-1x1", "1x1x1", "ax1"] {
            assert_eq!(text.parse::<Shape>(), Err(SpecError::Shape), "{text}");
        }
        for text in ["", "=a", "a=", "a=b,,c"] {
            assert_eq!(text.parse::<AttributeValues>(), Err(SpecError::Attribute), "{text}");
        }
    }
}
