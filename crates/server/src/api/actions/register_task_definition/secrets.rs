//! Where a container's secrets are to be found.

use longshore_model::container_definition::{SecretReference, SecretValue};
use longshore_wire::ecs;

use super::unfit::{Unfit, required};

/// A variable or an option; `member` is the list that it is of.
pub(super) fn value(sent: ecs::Secret, member: &'static str) -> Result<SecretValue, Unfit> {
    let name = required(sent.name, member)?;
    if name.contains(['=', '\0']) {
        let rule = format!("'{}' is not a name.", name.escape_debug());
        return Err(Unfit::because(member, rule));
    }
    Ok(SecretValue { name, value_from: reference(sent.value_from, member)? })
}

/// `None` for an object that asks for nothing.
pub(super) fn credentials(
    sent: ecs::RepositoryCredentials,
) -> Result<Option<SecretReference>, Unfit> {
    let text = sent.credentials_parameter.filter(|it| !it.is_empty());
    text.map(|it| reference(Some(it), "repositoryCredentials.credentialsParameter")).transpose()
}

fn reference(text: Option<String>, member: &'static str) -> Result<SecretReference, Unfit> {
    let text = required(text, member)?;
    SecretReference::parse(&text).map_err(|error| {
        Unfit::because(member, format!("'{}' cannot be followed: {error}.", text.escape_debug()))
    })
}
