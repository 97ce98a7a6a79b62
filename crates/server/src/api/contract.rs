//! What this server claims of the ECS API, from the very tables by which it answers.

use longshore_wire::{Member, Operation, Structure, ecs};

use super::dispatch;

/// What is claimed of one operation.
pub struct Contract {
    /// Which one.
    pub operation: Operation,
    /// The members that a caller may send; see also [`is_without_effect`].
    pub request: &'static Structure,
    /// The members that a success may hold.
    pub response: &'static Structure,
    /// The names of the exceptions that it may answer, besides those of the front end and
    /// `ServerException`.
    pub exceptions: Vec<&'static str>,
    /// Whether other members are let pass, where all other operations refuse them by name.
    pub passes_over_unknown_members: bool,
}

/// All that is claimed, in the order of the operations' names.
pub fn contract() -> Vec<Contract> {
    let mut operations = dispatch::supported().to_vec();
    operations.sort_by_key(|it| it.name());
    operations
        .into_iter()
        .map(|operation| {
            let (request, response) =
                ecs::structures(operation).expect("an action reads one shape and answers another");
            let exceptions = dispatch::exceptions(operation).iter().map(|it| it.name());
            Contract {
                operation,
                request,
                response,
                exceptions: exceptions.collect(),
                passes_over_unknown_members: passes_over_unknown_members(operation),
            }
        })
        .collect()
}

/// Whether members that this server does not know are passed over, whatever they ask for: an agent
/// repeats for ever what is refused, and its reports do not ask for anything; nor does what it
/// says of its machine, such as the graphics processors that it has.
pub(super) fn passes_over_unknown_members(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::DiscoverPollEndpoint
            | Operation::RegisterContainerInstance
            | Operation::SubmitContainerStateChange
            | Operation::SubmitTaskStateChange
    )
}

/// Members that are taken, because agents send them with every call, and that nothing can come of,
/// by structure: there is no EC2 whose signature could be verified, one address serves every
/// zone, and a total's type says which one of its values counts.
const WITHOUT_EFFECT: &[(&str, &[&str])] = &[
    ("DiscoverPollEndpointRequest", &["zoneId"]),
    ("RegisterContainerInstanceRequest", &["clientToken", "instanceIdentityDocumentSignature"]),
    ("Resource", &["doubleValue", "longValue"]),
];

/// Whether a request's member is taken and nothing comes of it.
pub fn is_without_effect(structure: &Structure, member: &Member) -> bool {
    WITHOUT_EFFECT
        .iter()
        .any(|(name, members)| *name == structure.name && members.contains(&member.name))
}

#[cfg(test)]
mod tests;
