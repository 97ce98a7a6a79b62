//! Machines that join by a token, and what they sign with.

use serde_json::{Value, json};

use super::http::{Answer, Call};
use super::{Agent, Handshake, Machine, World, open};
use longshore_wire::Operation;

/// An access key other than the root key: its id and its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(pub(crate) &'static str, pub(crate) &'static str);

impl Key {
    /// Tests are short: what they sign with may stay until their end.
    fn new(id: &Value, secret: &Value) -> Self {
        let leak = |it: &Value| -> &'static str { it.as_str().unwrap().to_owned().leak() };
        Self(leak(id), leak(secret))
    }

    /// The same call, signed with this key.
    pub(crate) fn sign(self, call: Call) -> Call {
        Call { key: (self.0.into(), self.1.into()), ..call }
    }
}

/// A machine that has joined and registered.
pub(crate) struct Joined {
    pub(crate) key: Key,
    /// Its container instance's ARN.
    pub(crate) instance: String,
}

impl World {
    /// A token that so many machines may join the cluster `default` with, for an hour.
    pub(crate) async fn token(&self, uses: i32) -> Key {
        let answer = self.call_own("create-join-token", json!({"uses": uses})).await.success();
        Key::new(&answer["joinToken"]["id"], &answer["secretAccessKey"])
    }

    /// What comes of joining with this token.
    pub(crate) async fn try_join(&self, token: Key, nonce: u128) -> Answer {
        self.call_own_as(token, "join", json!({"nonce": format!("{nonce:032x}")})).await
    }

    /// A key by this token.
    pub(crate) async fn key(&self, token: Key, nonce: u128) -> Key {
        let answer = self.try_join(token, nonce).await.success();
        Key::new(&answer["accessKeyId"], &answer["secretAccessKey"])
    }

    /// A machine that has joined by a token of its own and registered.
    pub(crate) async fn joined(&self, machine: &Machine) -> Joined {
        let key = self.key(self.token(1).await, 1).await;
        let register = Operation::RegisterContainerInstance;
        let answer = self.call_as(key, register, machine.registration()).await.success();
        let arn = answer["containerInstance"]["containerInstanceArn"].as_str().unwrap();
        Joined { key, instance: arn.into() }
    }

    pub(crate) async fn call_as(&self, key: Key, operation: Operation, body: Value) -> Answer {
        self.send(key.sign(self.request(operation, body.to_string())).signed()).await
    }

    pub(crate) async fn call_own_as(&self, key: Key, operation: &str, body: Value) -> Answer {
        let call = Call::own(operation, body.to_string(), self.clock.now_secs());
        self.send(key.sign(call).signed()).await
    }

    /// Connects as an instance's agent with this key; an error is the refusal's status and body.
    pub(crate) async fn connect_as(
        &self,
        key: Key,
        instance: &str,
    ) -> Result<Agent, (u16, String)> {
        let handshake =
            Handshake { access_key: key.0, secret: key.1, ..Handshake::of(self, instance) };
        let socket = open(self, handshake.signed()).await?;
        Ok(Agent { instance: instance.into(), socket })
    }
}
