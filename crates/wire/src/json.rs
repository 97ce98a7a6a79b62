//! AWS JSON 1.1: which operation a request asks for, and what an error looks like.

use std::fmt;

use crate::shape::{Mismatch, shape};

/// The media type of requests and responses.
pub const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// The header that names the operation.
pub const TARGET_HEADER: &str = "x-amz-target";

const TARGET_PREFIX: &str = "AmazonEC2ContainerServiceV20141113.";

macro_rules! operations {
    ($( $operation:ident, )*) => {
        /// The operations of the ECS API as of June 2017, whether or not they are implemented, and those
        /// of later years that are.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "the names are ECS's")]
        pub enum Operation {
            $( $operation, )*
        }

        impl Operation {
            /// All of them, in alphabetical order.
            pub const ALL: &'static [Self] = &[$( Self::$operation, )*];

            /// The name, such as `RunTask`.
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$operation => stringify!($operation), )*
                }
            }

            /// The operation of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $( stringify!($operation) => Some(Self::$operation), )*
                    _ => None,
                }
            }

            /// The value of the target header, such as
            /// `AmazonEC2ContainerServiceV20141113.RunTask`.
            pub const fn target(self) -> &'static str {
                match self {
                    $(
                        Self::$operation => {
                            concat!("AmazonEC2ContainerServiceV20141113.", stringify!($operation))
                        }
                    )*
                }
            }
        }
    };
}

operations! {
    CreateCluster,
    CreateService,
    DeleteAccountSetting,
    DeleteAttributes,
    DeleteCluster,
    DeleteService,
    DeleteTaskDefinitions,
    DeregisterContainerInstance,
    DeregisterTaskDefinition,
    DescribeClusters,
    DescribeContainerInstances,
    DescribeServices,
    DescribeTaskDefinition,
    DescribeTasks,
    DiscoverPollEndpoint,
    ListAccountSettings,
    ListAttributes,
    ListClusters,
    ListContainerInstances,
    ListServices,
    ListTagsForResource,
    ListTaskDefinitionFamilies,
    ListTaskDefinitions,
    ListTasks,
    PutAccountSetting,
    PutAccountSettingDefault,
    PutAttributes,
    RegisterContainerInstance,
    RegisterTaskDefinition,
    RunTask,
    StartTask,
    StopTask,
    SubmitContainerStateChange,
    SubmitTaskStateChange,
    TagResource,
    UntagResource,
    UpdateContainerAgent,
    UpdateContainerInstancesState,
    UpdateService,
}

impl Operation {
    /// Reads the value of the target header.
    pub fn from_target(target: &str) -> Option<Self> {
        Self::from_name(target.strip_prefix(TARGET_PREFIX)?)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The body of an error response: `{"__type":"ClientException","message":"..."}`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ErrorBody {
    /// The exception's bare name, such as `ClusterNotFoundException`.
    pub code: String,
    /// What went wrong, for a reader.
    pub message: String,
    /// The resources that a `ConflictException` tells of.
    pub resource_ids: Vec<String>,
}

/// The one exception whose text AWS spells with a capital M.
const SERIALIZATION_EXCEPTION: &str = "SerializationException";

impl ErrorBody {
    /// An error of that name.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), resource_ids: Vec::new() }
    }

    /// The JSON text.
    pub fn encode(&self) -> String {
        let mut body = Body { code: Some(self.code.clone()), ..Body::default() };
        let capital = self.code == SERIALIZATION_EXCEPTION;
        let text = if capital { &mut body.capital_message } else { &mut body.message };
        *text = Some(self.message.clone());
        body.resource_ids = Some(self.resource_ids.clone()).filter(|it| !it.is_empty());
        serde_json::to_string(&body).expect("text can always be written")
    }

    /// Reads the body of an error response as clients do: a namespace before `#` is cut, the text
    /// is looked for under both spellings. `None` for a body that names no error.
    pub fn decode(body: &[u8]) -> Option<Self> {
        let body: Body = serde_json::from_slice(body).ok()?;
        let code = body.code?;
        let code = code.rsplit('#').next().unwrap_or_default().to_owned();
        let message = body.message.or(body.capital_message).unwrap_or_default();
        Some(Self { code, message, resource_ids: body.resource_ids.unwrap_or_default() })
    }
}

impl From<Mismatch> for ErrorBody {
    fn from(mismatch: Mismatch) -> Self {
        Self::new(SERIALIZATION_EXCEPTION, mismatch.to_string())
    }
}

shape! {
    struct Body {
        code: Option<String> = "__type",
        message: Option<String> = "message",
        capital_message: Option<String> = "Message",
        resource_ids: Option<Vec<String>> = "resourceIds",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_names_an_operation() {
        let target = "AmazonEC2ContainerServiceV20141113.RunTask";
        assert_eq!(Operation::from_target(target), Some(Operation::RunTask));
        assert_eq!(Operation::RunTask.target(), target);
        for target in ["", "RunTask", "AmazonEC2ContainerServiceV20141113.", "X.RunTask"] {
            assert_eq!(Operation::from_target(target), None, "{target}");
        }
    }

    const LATER: &[Operation] = &[
        Operation::DeleteAccountSetting,
        Operation::DeleteTaskDefinitions,
        Operation::ListAccountSettings,
        Operation::ListTagsForResource,
        Operation::PutAccountSetting,
        Operation::PutAccountSettingDefault,
        Operation::TagResource,
        Operation::UntagResource,
    ];

    #[test]
    fn every_operation_of_june_2017_is_known() {
        let of_june_2017 = |it: &&Operation| !LATER.contains(it);
        assert_eq!(Operation::ALL.iter().filter(of_june_2017).count(), 31);
        for &operation in Operation::ALL {
            assert_eq!(Operation::from_target(operation.target()), Some(operation));
        }
        assert!(Operation::ALL.is_sorted_by_key(|it| it.name()));
    }

    #[test]
    fn an_error_has_a_type_and_a_message() {
        let error = ErrorBody::new("ClusterNotFoundException", "Cluster not found.");
        let body = r#"{"__type":"ClusterNotFoundException","message":"Cluster not found."}"#;
        assert_eq!(error.encode(), body);
        assert_eq!(ErrorBody::decode(body.as_bytes()), Some(error));
    }

    #[test]
    fn a_serialization_exception_has_a_capital_message() {
        let error = ErrorBody::new("SerializationException", "no");
        let body = r#"{"__type":"SerializationException","Message":"no"}"#;
        assert_eq!(error.encode(), body);
        assert_eq!(ErrorBody::decode(body.as_bytes()), Some(error));
    }

    #[test]
    fn a_namespace_before_the_type_is_cut() {
        let body = br#"{"__type":"com.example#ServerException"}"#;
        assert_eq!(ErrorBody::decode(body), Some(ErrorBody::new("ServerException", "")));
    }

    #[test]
    fn a_body_without_a_type_is_no_error() {
        for body in ["", "<html>", "[]", "{}", r#"{"message":"x"}"#] {
            assert_eq!(ErrorBody::decode(body.as_bytes()), None, "{body}");
        }
    }
}
