//! DeleteTaskDefinitions. What cannot be deleted is a failure, also where its name cannot be read.

use longshore_control::reference;
use longshore_control::task_definitions::DeleteRefusal;
use longshore_model::{Arn, DefinitionKey, Owner};
use longshore_wire::ecs::{DeleteTaskDefinitionsRequest, DeleteTaskDefinitionsResponse, Failure};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

const MAX_DEFINITIONS: usize = 10;

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<DeleteTaskDefinitionsResponse, Exception> {
    let request: DeleteTaskDefinitionsRequest = input::read(body)?;
    let owner = call.owner();
    let asked = request.task_definitions.unwrap_or_default();
    if asked.is_empty() {
        return Err(Exception::invalid("TaskDefinitions cannot be empty."));
    }
    if asked.len() > MAX_DEFINITIONS {
        return Err(Exception::invalid("TaskDefinitions can have at most 10 items."));
    }
    let (mut keys, mut failures): (Vec<DefinitionKey>, Vec<Failure>) = Default::default();
    for text in &asked {
        match reference::definition(text, owner).ok().and_then(|it| it.key()) {
            Some(key) if keys.contains(&key) => {}
            Some(key) => keys.push(key),
            None => failures.push(failure(named(text, owner), DeleteRefusal::Invalid)),
        }
    }
    let outcomes = call.control.delete_task_definitions(keys.clone()).await?;
    let mut deleted = Vec::new();
    for (key, outcome) in keys.iter().zip(outcomes) {
        match outcome {
            Ok(definition) => deleted.push(render::task_definition(&definition, owner)),
            Err(refusal) => failures.push(failure(owner.task_definition_arn(key), refusal)),
        }
    }
    Ok(DeleteTaskDefinitionsResponse { task_definitions: Some(deleted), failures: Some(failures) })
}

fn failure(arn: String, refusal: DeleteRefusal) -> Failure {
    render::failure(arn, &refusal.to_string())
}

/// An ARN of what a text names, although nothing can be called so.
fn named(text: &str, owner: &Owner) -> String {
    if Arn::is_meant_by(text) {
        return text.into();
    }
    format!("arn:aws:ecs:{}:{}:task-definition/{text}", owner.region, owner.account)
}
