//! Join tokens, joining by one, and the keys of the agents that have.

use crate::Timestamp;
use crate::shape::{Secret, shape};

shape! {
    /// `create-join-token`: what machines are to join with. The root key's alone.
    pub struct CreateJoinTokenRequest {
        /// The cluster that they join; `default` when absent.
        cluster: Option<String> = "cluster",
        /// How many may; 1 when absent.
        uses: Option<i32> = "uses",
        /// For how many seconds it is good; 3600 when absent.
        good_for_secs: Option<i32> = "goodForSeconds",
        /// Whatever its maker wants to be reminded of.
        note: Option<String> = "note",
    }

    pub struct CreateJoinTokenResponse {
        join_token: Option<JoinToken> = "joinToken",
        /// What the joining machine signs with; its access key id is the token's id. It is said
        /// this once.
        secret_access_key: Option<Secret> = "secretAccessKey",
        /// The URLs at which other machines reach the server, as it sees itself; those of its own
        /// machine where it listens to no other.
        endpoints: Option<Vec<String>> = "endpoints",
        /// The SHA-256 of the certificate of the server's own authority, where it has one.
        ca_fingerprint: Option<String> = "caFingerprint",
    }

    /// `list-join-tokens`: those that are not forgotten. The root key's alone.
    pub struct ListJoinTokensRequest {
        /// Only those of this cluster.
        cluster: Option<String> = "cluster",
    }

    pub struct ListJoinTokensResponse {
        /// The newest last.
        join_tokens: Option<Vec<JoinToken>> = "joinTokens",
    }

    /// `revoke-join-token`: nobody joins with it any more. The root key's alone.
    pub struct RevokeJoinTokenRequest {
        id: Option<String> = "id",
    }

    pub struct RevokeJoinTokenResponse {
        join_token: Option<JoinToken> = "joinToken",
    }

    /// A join token without its secret.
    pub struct JoinToken {
        id: Option<String> = "id",
        /// The cluster's name.
        cluster: Option<String> = "cluster",
        /// `USABLE`, `USED_UP`, `EXPIRED` or `REVOKED`.
        status: Option<String> = "status",
        uses: Option<i32> = "uses",
        used: Option<i32> = "used",
        note: Option<String> = "note",
        created_at: Option<Timestamp> = "createdAt",
        expires_at: Option<Timestamp> = "expiresAt",
        revoked_at: Option<Timestamp> = "revokedAt",
    }

    /// `join`, signed with a join token: a key for this machine.
    pub struct JoinRequest {
        /// 32 hex digits that the machine draws at random, tells nobody else, and says again when
        /// it calls again: then it gets the same key, and the token counts one use.
        nonce: Option<String> = "nonce",
    }

    pub struct JoinResponse {
        /// The name of the cluster that was joined.
        cluster: Option<String> = "cluster",
        /// The region to sign for.
        region: Option<String> = "region",
        access_key_id: Option<String> = "accessKeyId",
        secret_access_key: Option<Secret> = "secretAccessKey",
    }

    /// `list-instance-keys`: those that are not forgotten. The root key's alone.
    pub struct ListInstanceKeysRequest {
        /// Only those of this cluster.
        cluster: Option<String> = "cluster",
    }

    pub struct ListInstanceKeysResponse {
        /// The newest last.
        instance_keys: Option<Vec<InstanceKey>> = "instanceKeys",
    }

    /// `revoke-instance-key`: its agent is cut off and refused from now on. The root key's alone.
    pub struct RevokeInstanceKeyRequest {
        id: Option<String> = "id",
    }

    pub struct RevokeInstanceKeyResponse {
        instance_key: Option<InstanceKey> = "instanceKey",
    }

    /// An instance's key without its secret.
    pub struct InstanceKey {
        id: Option<String> = "id",
        /// The cluster's name.
        cluster: Option<String> = "cluster",
        /// `UNUSED` until its agent has registered, then `IN_USE`; `REVOKED`.
        status: Option<String> = "status",
        /// Absent until its agent has registered.
        container_instance_arn: Option<String> = "containerInstanceArn",
        /// The token by which its machine joined.
        join_token: Option<String> = "joinToken",
        created_at: Option<Timestamp> = "createdAt",
        revoked_at: Option<Timestamp> = "revokedAt",
    }
}
