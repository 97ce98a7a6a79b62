//! A payload, read so that one task that makes no sense does not take the others with it.

use longshore_wire::acs;
use serde_json::Value;

use crate::engine::{Failure, Rejection};

/// What a PayloadMessage asks for.
#[derive(Debug, Default)]
pub struct Payload {
    /// To be acknowledged.
    pub message_id: String,
    /// Whose it is, if it says so.
    pub container_instance: String,
    /// Rises from payload to payload.
    pub seq_num: i64,
    /// Stops first: a start may need what they give back.
    pub tasks: Vec<acs::Task>,
    /// Those that make no sense; they are reported STOPPED.
    pub rejected: Vec<Rejection>,
}

impl From<acs::PayloadMessage> for Payload {
    fn from(message: acs::PayloadMessage) -> Self {
        let acs::PayloadMessage { message_id, container_instance_arn, seq_num, mut tasks, .. } =
            message;
        tasks.sort_by_key(|it| it.desired_status != "STOPPED");
        let container_instance = container_instance_arn;
        Self { message_id, container_instance, seq_num, tasks, rejected: Vec::new() }
    }
}

/// Reads task by task a frame that could not be read as a whole; `None` if it is no payload.
pub fn salvage(frame: &str) -> Option<Payload> {
    let mut frame: Value = serde_json::from_str(frame).ok()?;
    if frame.get("type")?.as_str()? != "PayloadMessage" {
        return None;
    }
    let message = frame.get_mut("message")?;
    let Value::Array(tasks) = message.get_mut("tasks")?.take() else { return None };
    let message = &*message;
    let text = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut payload = Payload {
        message_id: text("messageId").to_owned(),
        container_instance: text("containerInstanceArn").to_owned(),
        seq_num: message.get("seqNum").and_then(Value::as_i64).unwrap_or_default(),
        ..Payload::default()
    };
    for task in tasks {
        match longshore_wire::parse::<acs::Task>(task.to_string().as_bytes()) {
            Ok(parsed) => payload.tasks.push(parsed.shape),
            Err(mismatch) => {
                let arn = task.get("arn").and_then(Value::as_str).unwrap_or_default();
                let text = format!("Error loading task - {mismatch} at {}", mismatch.path());
                let reason = Failure::UnrecognizedTask.because(text);
                payload.rejected.push(Rejection { arn: arn.to_owned(), reason });
            }
        }
    }
    payload.tasks.sort_by_key(|it| it.desired_status != "STOPPED");
    Some(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_cannot_be_read_is_rejected_alone() {
        let frame = r#"{"type":"PayloadMessage","message":{"messageId":"m","seqNum":4,"tasks":[
            {"arn":"bad","containers":[{"name":"a","cpu":"much"}]},
            {"arn":"start","desiredStatus":"RUNNING"},
            {"arn":"stop","desiredStatus":"STOPPED"}]}}"#;
        let payload = salvage(frame).unwrap();
        assert_eq!((payload.message_id.as_str(), payload.seq_num), ("m", 4));
        let arns: Vec<_> = payload.tasks.iter().map(|it| it.arn.as_str()).collect();
        assert_eq!(arns, ["stop", "start"]);
        assert_eq!(payload.rejected.len(), 1);
        assert_eq!(payload.rejected[0].arn, "bad");
        assert!(payload.rejected[0].reason.as_str().ends_with("at containers[0].cpu"));
    }

    #[test]
    fn what_is_no_payload_is_left_alone() {
        for frame in ["", "{}", r#"{"type":"X"}"#, r#"{"type":"PayloadMessage","message":{}}"#] {
            assert!(salvage(frame).is_none(), "{frame}");
        }
    }
}
