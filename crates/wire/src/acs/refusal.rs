//! The body of a refused websocket handshake.

use serde_json::{Map, Value};

/// Why a handshake was refused. Only `InactiveInstanceException` changes what the official agent
/// does: it then waits an hour before it tries again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The exception's name, such as `InactiveInstanceException`.
    pub exception: String,
    /// What went wrong, for a reader.
    pub message: String,
}

/// The exception of our own that refuses an agent while another one is connected that is the same
/// container instance.
pub const CONTESTED: &str = "ContestedInstanceException";

impl Refusal {
    /// The body in the form of the live service: `{"InactiveInstanceException":"text"}`.
    pub fn encode(&self) -> String {
        let body = Map::from_iter([(self.exception.clone(), self.message.clone().into())]);
        Value::Object(body).to_string()
    }

    /// Reads either known form, the other being
    /// `{"type":"InactiveInstanceException","message":{"message":"text"}}`, and API errors
    /// (`{"__type":...,"message":...}`). `None` for anything else.
    pub fn decode(body: &[u8]) -> Option<Self> {
        let Ok(Value::Object(body)) = serde_json::from_slice(body) else { return None };
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        if let Some(exception) = text("type").or_else(|| text("__type")) {
            let message = match body.get("message").or_else(|| body.get("Message")) {
                Some(Value::Object(inner)) => inner.get("message").and_then(Value::as_str),
                Some(other) => other.as_str(),
                None => None,
            };
            return Some(Self {
                exception: exception.to_owned(),
                message: message.unwrap_or_default().to_owned(),
            });
        }
        let (exception, message) = body.iter().next()?;
        let message = message.as_str()?;
        Some(Self { exception: exception.clone(), message: message.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expect: Option<(&str, &str)>) {
        let refusal = Refusal::decode(body.as_bytes());
        let seen = refusal.as_ref().map(|it| (it.exception.as_str(), it.message.as_str()));
        assert_eq!(seen, expect, "{body}");
    }

    #[test]
    fn every_known_form_is_read() {
        let gone = Some(("InactiveInstanceException", "gone"));
        check(r#"{"InactiveInstanceException":"gone"}"#, gone);
        check(r#"{"type":"InactiveInstanceException","message":{"message":"gone"}}"#, gone);
        check(r#"{"__type":"InactiveInstanceException","message":"gone"}"#, gone);
        check(r#"{"__type":"InactiveInstanceException","Message":"gone"}"#, gone);
    }

    #[test]
    fn anything_else_is_no_refusal() {
        for body in ["", "{}", "[]", "null", r#"{"a":1}"#, "<html>"] {
            check(body, None);
        }
    }

    #[test]
    fn it_is_written_as_the_live_service_does() {
        let refusal = Refusal { exception: "ServerException".into(), message: "no".into() };
        assert_eq!(refusal.encode(), r#"{"ServerException":"no"}"#);
        assert_eq!(Refusal::decode(refusal.encode().as_bytes()), Some(refusal));
    }
}
