//! Containers that name each other: `links`, `volumesFrom` and `dependsOn`.

use longshore_model::container_definition::{Condition, ContainerDefinition};

use super::DefinitionError;

/// The names of the containers that one names in a member.
type Named = fn(&ContainerDefinition) -> Vec<&str>;

/// Checks that every container named is there and can come before the one that names it.
pub(super) fn check(containers: &[ContainerDefinition]) -> Result<(), DefinitionError> {
    let members: [(&str, Named, &str); 3] = [
        ("links", linked, "links"),
        ("volumesFrom", volume_sources, "links and volumesFrom"),
        ("dependsOn", dependencies, "dependencies"),
    ];
    let mut waits_for: Vec<Vec<usize>> = vec![Vec::new(); containers.len()];
    for (member, named, what) in members {
        for (container, waits_for) in containers.iter().zip(&mut waits_for) {
            for name in named(container) {
                let at = containers.iter().position(|it| it.name.as_str() == name);
                let unknown = || DefinitionError::UnknownContainer { member, name: name.into() };
                waits_for.push(at.ok_or_else(unknown)?);
            }
        }
        if has_cycle(&waits_for) {
            return Err(DefinitionError::Cycle(what));
        }
    }
    containers.iter().try_for_each(|it| check_conditions(it, containers))
}

/// Each link is `name` or `name:alias`.
fn linked(container: &ContainerDefinition) -> Vec<&str> {
    let links = container.links.iter().flatten();
    links.map(|it| it.split_once(':').map_or(it.as_str(), |(name, _)| name)).collect()
}

fn volume_sources(container: &ContainerDefinition) -> Vec<&str> {
    container
        .volumes_from
        .iter()
        .map(|it| it.source_container.as_deref().unwrap_or_default())
        .collect()
}

fn dependencies(container: &ContainerDefinition) -> Vec<&str> {
    container.depends_on.iter().flatten().map(|it| it.container.as_str()).collect()
}

/// Whether some of these, each of which waits for others, can never begin.
fn has_cycle(waits_for: &[Vec<usize>]) -> bool {
    let mut begun = vec![false; waits_for.len()];
    loop {
        let next = (0..waits_for.len())
            .find(|&at| !begun[at] && waits_for[at].iter().all(|&needed| begun[needed]));
        match next {
            Some(at) => begun[at] = true,
            None => return begun.contains(&false),
        }
    }
}

fn check_conditions(
    container: &ContainerDefinition,
    all: &[ContainerDefinition],
) -> Result<(), DefinitionError> {
    for dependency in container.depends_on.iter().flatten() {
        let Some(target) = all.iter().find(|it| it.name == dependency.container) else { continue };
        if dependency.condition.is_of_the_end() && target.essential {
            return Err(DefinitionError::EndOfEssential);
        }
        if dependency.condition == Condition::Healthy && target.health_check.is_none() {
            return Err(DefinitionError::NoHealthCheck {
                container: container.name.clone(),
                target: target.name.clone(),
            });
        }
    }
    Ok(())
}
