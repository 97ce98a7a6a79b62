//! What each error is called in ECS's terms. Nothing else knows the exceptions' names.

use http::StatusCode;
use longshore_control::account_settings::PutAccountSettingError;
use longshore_control::clusters::{ClusterError, DeleteClusterError};
use longshore_control::container_instances::{
    self, AttributesError, UpdateAgentError, UpdateStateError,
};
use longshore_control::reference::ReferenceError;
use longshore_control::tags::TagResourceError;
use longshore_control::task_definitions::{self, UsableError};
use longshore_control::tasks::{LaunchError, StopTaskError};
use longshore_model::TagError;
use longshore_model::attribute::AttributeError;
use longshore_store::StoreError;
use longshore_wire::{ErrorBody, Mismatch};

/// An error as a client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exception {
    code: ExceptionCode,
    message: String,
    /// The resources that a conflict is about.
    resource_ids: Vec<String>,
}

/// Which one it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExceptionCode {
    Client,
    InvalidParameter,
    Server,
    ClusterNotFound,
    ServiceNotFound,
    ClusterContainsContainerInstances,
    ClusterContainsTasks,
    TargetNotFound,
    AttributeLimitExceeded,
    NoUpdateAvailable,
    MissingVersion,
    Conflict,
    PlatformUnknown,
    LimitExceeded,
    ResourceNotFound,
    UnknownOperation,
    NotFound,
    Serialization,
    RequestTooLarge,
    MissingAuthenticationToken,
    IncompleteSignature,
    UnrecognizedClient,
    InvalidSignature,
    AccessDenied,
}

impl ExceptionCode {
    /// The name on the wire.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Client => "ClientException",
            Self::InvalidParameter => "InvalidParameterException",
            Self::Server => "ServerException",
            Self::ClusterNotFound => "ClusterNotFoundException",
            Self::ServiceNotFound => "ServiceNotFoundException",
            Self::ClusterContainsContainerInstances => "ClusterContainsContainerInstancesException",
            Self::ClusterContainsTasks => "ClusterContainsTasksException",
            Self::TargetNotFound => "TargetNotFoundException",
            Self::AttributeLimitExceeded => "AttributeLimitExceededException",
            Self::NoUpdateAvailable => "NoUpdateAvailableException",
            Self::MissingVersion => "MissingVersionException",
            Self::PlatformUnknown => "PlatformUnknownException",
            Self::Conflict => "ConflictException",
            Self::LimitExceeded => "LimitExceededException",
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::UnknownOperation | Self::NotFound => "UnknownOperationException",
            Self::Serialization => "SerializationException",
            Self::RequestTooLarge => "RequestEntityTooLargeException",
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::IncompleteSignature => "IncompleteSignatureException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::InvalidSignature => "InvalidSignatureException",
            Self::AccessDenied => "AccessDeniedException",
        }
    }

    /// Whether any operation may answer it: a fault of this side, or a refusal of the front end,
    /// which comes before the operation.
    pub(super) fn is_common(self) -> bool {
        matches!(
            self,
            Self::Server
                | Self::UnknownOperation
                | Self::NotFound
                | Self::Serialization
                | Self::RequestTooLarge
                | Self::MissingAuthenticationToken
                | Self::IncompleteSignature
                | Self::UnrecognizedClient
                | Self::InvalidSignature
                | Self::AccessDenied
        )
    }
}

macro_rules! exceptions {
    ($($(#[$doc:meta])* $constructor:ident = $code:ident;)*) => {
        impl Exception {
            $(
                $(#[$doc])*
                pub(crate) fn $constructor(message: impl Into<String>) -> Self {
                    Self::of(ExceptionCode::$code, message.into())
                }
            )*
        }
    };
}

exceptions! {
    /// The legacy catch-all: task definitions and agents.
    client = Client;
    /// A malformed or contradictory member.
    invalid = InvalidParameter;
    /// No such version of Fargate's platform.
    platform_unknown = PlatformUnknown;
    /// A fault of this side.
    server = Server;
    /// No such operation, or none here.
    unknown_operation = UnknownOperation;
    /// No such operation of Longshore's own, which go by their paths.
    not_found = NotFound;
    /// The body cannot be read.
    serialization = Serialization;
    /// The body is longer than this server takes.
    too_large = RequestTooLarge;
    /// Nothing is signed.
    missing_token = MissingAuthenticationToken;
    /// The signature's header cannot be read.
    incomplete_signature = IncompleteSignature;
    /// The access key is not known.
    unrecognized_client = UnrecognizedClient;
    /// The signature does not fit, or its time has passed.
    invalid_signature = InvalidSignature;
    /// Whoever has signed may not.
    access_denied = AccessDenied;
}

impl Exception {
    fn of(code: ExceptionCode, message: String) -> Self {
        Self { code, message, resource_ids: Vec::new() }
    }

    /// No service of that name.
    pub(crate) fn service_not_found() -> Self {
        Self::of(ExceptionCode::ServiceNotFound, "Service not found.".into())
    }

    pub(crate) fn name(&self) -> &'static str {
        self.code.name()
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self.code {
            ExceptionCode::Server => StatusCode::INTERNAL_SERVER_ERROR,
            ExceptionCode::NotFound => StatusCode::NOT_FOUND,
            ExceptionCode::RequestTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    pub(crate) fn body(&self) -> ErrorBody {
        let resource_ids = self.resource_ids.clone();
        ErrorBody { resource_ids, ..ErrorBody::new(self.name(), self.message.clone()) }
    }

    /// The same error from an operation that declares only these: what it does not declare becomes
    /// the most general that it does. So the agent-facing operations and RegisterTaskDefinition
    /// answer `ClientException` where others have a name for the error.
    pub(super) fn within(self, declared: &[ExceptionCode]) -> Self {
        if self.code.is_common() || declared.contains(&self.code) {
            return self;
        }
        let general = [ExceptionCode::Client, ExceptionCode::InvalidParameter];
        let code = general.into_iter().find(|it| declared.contains(it));
        Self { code: code.unwrap_or(ExceptionCode::Server), ..self }
    }
}

impl From<Mismatch> for Exception {
    fn from(mismatch: Mismatch) -> Self {
        Self::serialization(match mismatch.path() {
            "" => mismatch.to_string(),
            path => format!("{mismatch} (at {path})"),
        })
    }
}

impl From<StoreError> for Exception {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a call failed because the state could not be saved");
        Self::server("The state could not be saved.")
    }
}

impl From<ReferenceError> for Exception {
    fn from(error: ReferenceError) -> Self {
        match error {
            ReferenceError::Family => Self::client(error.to_string()),
            ReferenceError::NoSuch(_) => {
                Self::of(ExceptionCode::ResourceNotFound, error.to_string())
            }
            _ => Self::invalid(error.to_string()),
        }
    }
}

impl From<ClusterError> for Exception {
    fn from(error: ClusterError) -> Self {
        Self::of(ExceptionCode::ClusterNotFound, error.to_string())
    }
}

impl From<DeleteClusterError> for Exception {
    fn from(error: DeleteClusterError) -> Self {
        let message = error.to_string();
        match error {
            DeleteClusterError::Cluster(error) => error.into(),
            DeleteClusterError::Store(error) => error.into(),
            DeleteClusterError::ContainsContainerInstances => {
                Self::of(ExceptionCode::ClusterContainsContainerInstances, message)
            }
            DeleteClusterError::ContainsTasks => {
                Self::of(ExceptionCode::ClusterContainsTasks, message)
            }
        }
    }
}

impl From<UsableError> for Exception {
    fn from(error: UsableError) -> Self {
        Self::client(error.to_string())
    }
}

impl From<LaunchError> for Exception {
    fn from(error: LaunchError) -> Self {
        match error {
            LaunchError::Cluster(error) => error.into(),
            LaunchError::Definition(error) => error.into(),
            LaunchError::Store(error) => error.into(),
            LaunchError::TokenConflict(resource_ids) => {
                let message = "The clientToken was used by a call with other parameters.".into();
                Self { code: ExceptionCode::Conflict, message, resource_ids }
            }
            LaunchError::Tags(error) => error.into(),
            LaunchError::Overrides(_)
            | LaunchError::Constraint(_)
            | LaunchError::ShortArn(_)
            | LaunchError::LaunchType(_)
            | LaunchError::NoContainerInstances
            | LaunchError::TooManyConstraints(_) => Self::invalid(error.to_string()),
        }
    }
}

impl From<PutAccountSettingError> for Exception {
    fn from(error: PutAccountSettingError) -> Self {
        match error {
            PutAccountSettingError::Store(error) => error.into(),
            PutAccountSettingError::Value(_)
            | PutAccountSettingError::Managed(_)
            | PutAccountSettingError::Unsupported { .. } => Self::invalid(error.to_string()),
        }
    }
}

impl From<TagError> for Exception {
    fn from(error: TagError) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<TagResourceError> for Exception {
    fn from(error: TagResourceError) -> Self {
        let code = match error {
            TagResourceError::ClusterNotFound => ExceptionCode::ClusterNotFound,
            TagResourceError::NotFound(_) => ExceptionCode::ResourceNotFound,
            TagResourceError::Tags(TagError::TooMany) => ExceptionCode::LimitExceeded,
            TagResourceError::Inactive(_)
            | TagResourceError::Stopped
            | TagResourceError::ShortArn(_)
            | TagResourceError::Tags(_) => ExceptionCode::InvalidParameter,
            TagResourceError::Store(error) => return error.into(),
        };
        Self::of(code, error.to_string())
    }
}

impl From<StopTaskError> for Exception {
    fn from(error: StopTaskError) -> Self {
        match error {
            StopTaskError::Cluster(error) => error.into(),
            StopTaskError::Store(error) => error.into(),
            StopTaskError::NotFound => Self::invalid(error.to_string()),
        }
    }
}

impl From<task_definitions::RegisterError> for Exception {
    fn from(error: task_definitions::RegisterError) -> Self {
        match error {
            task_definitions::RegisterError::Definition(error) => Self::client(error.to_string()),
            task_definitions::RegisterError::Store(error) => error.into(),
        }
    }
}

impl From<task_definitions::DeregisterError> for Exception {
    fn from(error: task_definitions::DeregisterError) -> Self {
        match error {
            task_definitions::DeregisterError::NotFound => Self::client(error.to_string()),
            task_definitions::DeregisterError::Store(error) => error.into(),
        }
    }
}

impl From<container_instances::RegisterError> for Exception {
    fn from(error: container_instances::RegisterError) -> Self {
        match error {
            container_instances::RegisterError::Store(error) => error.into(),
            container_instances::RegisterError::Access(denied) => denied.into(),
            _ => Self::client(error.to_string()),
        }
    }
}

impl From<container_instances::DeregisterError> for Exception {
    fn from(error: container_instances::DeregisterError) -> Self {
        match error {
            container_instances::DeregisterError::Cluster(error) => error.into(),
            container_instances::DeregisterError::Store(error) => error.into(),
            container_instances::DeregisterError::NotFound(_)
            | container_instances::DeregisterError::HasTasks => Self::invalid(error.to_string()),
        }
    }
}

impl From<UpdateStateError> for Exception {
    fn from(error: UpdateStateError) -> Self {
        match error {
            UpdateStateError::Cluster(error) => error.into(),
            UpdateStateError::Store(error) => error.into(),
        }
    }
}

impl From<UpdateAgentError> for Exception {
    fn from(error: UpdateAgentError) -> Self {
        let message = error.to_string();
        match error {
            UpdateAgentError::Cluster(error) => error.into(),
            UpdateAgentError::NotFound(_) | UpdateAgentError::Inactive => Self::invalid(message),
            UpdateAgentError::MissingVersion => Self::of(ExceptionCode::MissingVersion, message),
            UpdateAgentError::NoUpdateAvailable => {
                Self::of(ExceptionCode::NoUpdateAvailable, message)
            }
        }
    }
}

impl From<AttributeError> for Exception {
    fn from(error: AttributeError) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<AttributesError> for Exception {
    fn from(error: AttributesError) -> Self {
        let message = error.to_string();
        match error {
            AttributesError::Cluster(error) => error.into(),
            AttributesError::Store(error) => error.into(),
            AttributesError::TargetNotFound(_) => Self::of(ExceptionCode::TargetNotFound, message),
            AttributesError::LimitExceeded => {
                Self::of(ExceptionCode::AttributeLimitExceeded, message)
            }
        }
    }
}
