//! Requests and answers of Longshore's own API, one file per operation: what ECS has no call for.
//!
//! They travel as ECS's do, in JSON of the same spelling, signed alike, with errors of the same form,
//! but to a path of their own: `POST /longshore/v1/OPERATION`. These shapes are ours, not ECS's.

mod explain;
mod joining;
mod placement_failures;
mod snapshot;

pub use explain::{
    Cause, Excluded, ExplainRequest, ExplainResponse, NearMiss, PlannedTask, Reason,
};
pub use joining::{
    CreateJoinTokenRequest, CreateJoinTokenResponse, InstanceKey, JoinRequest, JoinResponse,
    JoinToken, ListInstanceKeysRequest, ListInstanceKeysResponse, ListJoinTokensRequest,
    ListJoinTokensResponse, RevokeInstanceKeyRequest, RevokeInstanceKeyResponse,
    RevokeJoinTokenRequest, RevokeJoinTokenResponse,
};
pub use placement_failures::{
    FailureReason, PlacementFailure, PlacementFailuresRequest, PlacementFailuresResponse,
};
pub use snapshot::{SNAPSHOT_TYPE, SnapshotRequest};

/// What the paths of all operations begin with; `/v1/` and the operation's name follow.
pub const PATH: &str = "/longshore/";

/// The version of the API that this is, as it stands in paths.
pub const VERSION: &str = "v1";
