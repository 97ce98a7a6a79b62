//! A body of which some members may make no sense, read without those.

use serde_json::Value;

use super::{Mismatch, Reader, Shape};

/// The most members that are left out. Who sends more nonsense is not understood at all.
const MOST: usize = 32;

/// Reads a request body as [`parse`](super::parse) does, but leaves out each member, or element of
/// a list, that has the wrong type. Gives what could be read and what was left out.
///
/// # Errors
/// [`Mismatch`] when the body is no JSON object, or more than 32 of its members make no sense.
pub fn salvage<T: Shape>(body: &[u8]) -> Result<(T, Vec<Mismatch>), Mismatch> {
    let mut left_out = Vec::new();
    if body.trim_ascii().is_empty() {
        return Ok((T::default(), left_out));
    }
    let mut value: Value = serde_json::from_slice(body).map_err(Mismatch::not_json)?;
    loop {
        match T::read(value.clone(), &mut Reader::default()) {
            Ok(shape) => return Ok((shape, left_out)),
            Err(mismatch) if left_out.len() < MOST && remove(&mut value, mismatch.path()) => {
                left_out.push(mismatch);
            }
            Err(mismatch) => return Err(mismatch),
        }
    }
}

/// Takes away what is at a path such as `containers[0].exitCode`. Says whether it was there.
fn remove(value: &mut Value, path: &str) -> bool {
    let pointer = format!("/{}", path.replace(['.', '['], "/").replace(']', ""));
    let Some((parent, last)) = pointer.rsplit_once('/') else { return false };
    match value.pointer_mut(parent) {
        Some(Value::Object(members)) => members.remove(last).is_some(),
        Some(Value::Array(elements)) => match last.parse() {
            Ok(index) if index < elements.len() => {
                elements.remove(index);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecs::SubmitTaskStateChangeRequest;

    fn salvaged(body: &str) -> Result<(SubmitTaskStateChangeRequest, Vec<String>), String> {
        let salvaged = salvage::<SubmitTaskStateChangeRequest>(body.as_bytes());
        let (shape, left_out) = salvaged.map_err(|it| it.to_string())?;
        Ok((shape, left_out.iter().map(|it| it.path().to_owned()).collect()))
    }

    #[test]
    fn what_makes_no_sense_is_left_out_and_the_rest_is_read() {
        let (read, left_out) = salvaged(
            r#"{"task": "T1", "status": "STOPPED", "pullStartedAt": "soon", "containers": [
                7,
                {"containerName": "a", "exitCode": 4294967296, "status": "STOPPED"},
                {"containerName": "b", "status": "RUNNING", "networkBindings": {}}
            ]}"#,
        )
        .unwrap();
        let expected = ["containers[0]", "containers[0].exitCode", "containers[1].networkBindings"];
        assert_eq!(left_out[..3], expected);
        assert_eq!(left_out[3..], ["pullStartedAt"]);
        assert_eq!((read.task.as_deref(), read.status.as_deref()), (Some("T1"), Some("STOPPED")));
        let containers = read.containers.unwrap();
        assert_eq!(containers[0].container_name.as_deref(), Some("a"));
        assert_eq!(containers[1].status.as_deref(), Some("RUNNING"));
    }

    #[test]
    fn what_is_no_object_or_mere_nonsense_is_refused() {
        for body in ["nonsense", "[]", "7", r#"{"task": "#] {
            salvaged(body).unwrap_err();
        }
        let many = format!(r#"{{"containers": [{}7]}}"#, "7,".repeat(MOST));
        salvaged(&many).unwrap_err();
        assert_eq!(salvaged("").unwrap().0, SubmitTaskStateChangeRequest::default());
    }
}
