//! A message and its type in one JSON object, one to a websocket text frame:
//! `{"type":"<Name>","message":{...}}`.
//!
//! Decoding is tolerant, as the official agent is: members that are missing or `null` get their
//! defaults, and members or whole message types that are not known are skipped.

use serde::Serialize;
use serde_json::Value;

use crate::shape::Mismatch;

/// A frame that is no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The frame is not a JSON object.
    #[error("the frame is not a JSON object")]
    NotAnObject,
    /// The frame has no `type`.
    #[error("the frame has no message type")]
    NoType,
    /// A member of a known message has the wrong JSON type.
    #[error("{message_type} cannot be read: {mismatch} at {}", .mismatch.path())]
    Mismatch {
        /// The message's type.
        message_type: String,
        /// What does not fit.
        mismatch: Mismatch,
    },
}

/// Takes a frame apart into its type and its message; a missing message is an empty one.
pub(crate) fn open(frame: &str) -> Result<(String, Value), FrameError> {
    let Ok(Value::Object(mut envelope)) = serde_json::from_str(frame) else {
        return Err(FrameError::NotAnObject);
    };
    let Some(Value::String(message_type)) = envelope.remove("type") else {
        return Err(FrameError::NoType);
    };
    let message = match envelope.remove("message") {
        None | Some(Value::Null) => Value::Object(Default::default()),
        Some(message) => message,
    };
    Ok((message_type, message))
}

/// Puts a message into its frame.
pub(crate) fn seal(message_type: &'static str, message: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Envelope<'a, M> {
        r#type: &'static str,
        message: &'a M,
    }
    serde_json::to_string(&Envelope { r#type: message_type, message })
        .expect("shapes have string keys and finite numbers only")
}

/// Declares one side's messages: the enum, and its way from and to a frame.
macro_rules! messages {
    (
        $(#[$attribute:meta])*
        pub enum $name:ident {
            $( $(#[$variant_attribute:meta])* $variant:ident($message:ident), )*
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $name {
            $( $(#[$variant_attribute])* $variant($message), )*
        }

        impl $name {
            /// Reads a frame; `None` for a message type that is not known.
            ///
            /// # Errors
            /// [`FrameError`](crate::FrameError) when the frame is no message, or a member of a known
            /// message has the wrong type.
            pub fn decode(frame: &str) -> Result<Option<Self>, crate::FrameError> {
                let (message_type, message) = crate::envelope::open(frame)?;
                let reader = &mut crate::shape::Reader::default();
                let message = match message_type.as_str() {
                    $(
                        stringify!($message) => {
                            crate::shape::Shape::read(message, reader).map(Self::$variant)
                        }
                    )*
                    _ => return Ok(None),
                };
                message
                    .map(Some)
                    .map_err(|mismatch| crate::FrameError::Mismatch { message_type, mismatch })
            }

            /// Writes the frame.
            pub fn encode(&self) -> String {
                match self {
                    $( Self::$variant(message) => crate::envelope::seal(stringify!($message), message), )*
                }
            }
        }
    };
}

pub(crate) use messages;
