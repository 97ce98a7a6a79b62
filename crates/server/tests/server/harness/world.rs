//! A control plane in this process, reached as clients reach it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use ::http::Request;
use bytes::Bytes;
use http_body_util::Full;
use longshore_control::Control;
use longshore_model::{InstanceId, Owner};
use longshore_server::{
    Keys, MasterKey, MetricsTokenFile, PlainText, RoleCredentialsFile, SecretsFile, Server,
    ServerError, Tls,
};
use longshore_store::{MemoryJournal, State, Store, StoreError, Tx};
use longshore_wire::Operation;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::http::{Answer, Call, root_key, send};
use super::{Agent, Count, Machine, Steered, soon};

/// A running server, its state and its clock. The cluster `default` exists.
pub(crate) struct World {
    pub(crate) control: Control,
    pub(crate) clock: Arc<Steered>,
    pub(crate) address: SocketAddr,
    pub(crate) keys: Keys,
    shutdown: watch::Sender<bool>,
    served: JoinHandle<Result<(), ServerError>>,
}

/// What a world is made of.
struct Parts {
    store: Store,
    keys: Keys,
    secrets: Option<SecretsFile>,
    roles: Option<RoleCredentialsFile>,
    has_fargate: bool,
    tls: Option<Tls>,
    metrics_token: Option<MetricsTokenFile>,
}

impl Parts {
    fn of(store: Store) -> Self {
        let keys = Keys { root: root_key(), master: MasterKey::random() };
        let (secrets, roles, tls, metrics_token) = (None, None, None, None);
        Self { store, keys, secrets, roles, has_fargate: false, tls, metrics_token }
    }

    fn new() -> Self {
        Self::of(Store::open(MemoryJournal::default()).unwrap())
    }

    /// Without threads of its own.
    fn inline() -> Self {
        Self::of(Store::open_inline(MemoryJournal::default()).unwrap())
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(Parts::new()).await
    }

    /// A world without threads of its own, for a clock that tokio moves when all else is done.
    pub(crate) async fn start_inline() -> Self {
        Self::with(Parts::inline()).await
    }

    pub(crate) async fn over(store: Store) -> Self {
        Self::with(Parts::of(store)).await
    }

    /// The world of a data directory: its records, and the keys beside them.
    pub(crate) async fn reopened(store: Store, keys: Keys) -> Self {
        Self::with(Parts { keys, ..Parts::of(store) }).await
    }

    /// A world where FARGATE is mapped to the instances.
    pub(crate) async fn with_fargate() -> Self {
        Self::with(Parts { has_fargate: true, ..Parts::new() }).await
    }

    /// A world whose server finds secrets in this file.
    pub(crate) async fn with_secrets(file: &Path) -> Self {
        let secrets = Some(SecretsFile::open(file).unwrap());
        Self::with(Parts { secrets, ..Parts::new() }).await
    }

    /// A world whose server finds the credentials of roles in this file.
    pub(crate) async fn with_roles(store: Store, keys: Option<Keys>, file: &Path) -> Self {
        let parts = Parts::of(store);
        let roles = Some(RoleCredentialsFile::open(file).unwrap());
        let keys = keys.unwrap_or(parts.keys);
        Self::with(Parts { keys, roles, ..parts }).await
    }

    /// A world without threads of its own that speaks TLS as well.
    pub(crate) async fn with_tls(tls: Tls) -> Self {
        Self::with(Parts { tls: Some(tls), ..Parts::inline() }).await
    }

    /// A world whose metrics others may read with the token of this file.
    pub(crate) async fn with_metrics_token(file: &Path) -> Self {
        let metrics_token = Some(MetricsTokenFile::open(file).unwrap());
        Self::with(Parts { metrics_token, ..Parts::new() }).await
    }

    async fn with(parts: Parts) -> Self {
        let Parts { store, keys, secrets, roles, has_fargate, tls, metrics_token } = parts;
        let clock = Arc::new(Steered::default());
        let owner = Owner { region: "us-east-1".into(), account: "111122223333".into() };
        let control = Control::new(store, clock.clone(), Arc::new(Count::default()), owner)
            .with_fargate_on_instances(has_fargate);
        control.create_cluster("default".parse().unwrap(), Default::default()).await.unwrap();
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut server =
            Server::bind(any_port, control.clone(), keys.clone(), secrets).await.unwrap();
        if let Some(tls) = tls {
            server = server.with_transports(tls, PlainText::ThisMachine);
        }
        if let Some(file) = roles {
            server = server.with_role_credentials(file);
        }
        if let Some(token) = metrics_token {
            server = server.with_metrics_token(token);
        }
        let address = server.address().unwrap();
        let (shutdown, requested) = watch::channel(false);
        let served = tokio::spawn(server.run(requested));
        Self { control, clock, address, keys, shutdown, served }
    }

    pub(crate) fn state(&self) -> Arc<State> {
        self.control.view()
    }

    /// A call that is still to be signed, at the present time.
    pub(crate) fn request(&self, operation: Operation, body: impl Into<Bytes>) -> Call {
        Call::new(operation, body, self.clock.now_secs())
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        send(self.address, request).await
    }

    /// Sends this very body, signed.
    pub(crate) async fn call_raw(&self, operation: Operation, body: impl Into<Bytes>) -> Answer {
        self.send(self.request(operation, body).signed()).await
    }

    pub(crate) async fn call(&self, operation: Operation, body: Value) -> Answer {
        self.call_raw(operation, body.to_string()).await
    }

    /// Sends this very body, signed, to an operation of Longshore's own.
    pub(crate) async fn call_own_raw(&self, operation: &str, body: impl Into<Bytes>) -> Answer {
        self.send(Call::own(operation, body, self.clock.now_secs()).signed()).await
    }

    pub(crate) async fn call_own(&self, operation: &str, body: Value) -> Answer {
        self.call_own_raw(operation, body.to_string()).await
    }

    /// The answer of a call that succeeds.
    pub(crate) async fn ask(&self, operation: Operation, body: Value) -> Value {
        let answer = self.call(operation, body).await;
        assert_eq!(answer.status, 200, "{operation}: {}", answer.text);
        answer.json()
    }

    /// Writes what no operation would.
    pub(crate) async fn write(&self, transaction: impl FnOnce(&mut Tx<'_>)) {
        let written: Result<(), StoreError> = self
            .control
            .store()
            .update(|tx| {
                transaction(tx);
                Ok(())
            })
            .await;
        written.unwrap();
    }

    /// Waits until the state is as wished.
    pub(crate) async fn until(&self, what: &str, wish: impl Fn(&State) -> bool) {
        let mut watch = self.control.store().watch();
        soon(what, async {
            while !wish(&self.state()) {
                let _ = watch.next().await;
            }
        })
        .await;
    }

    /// Registers a container instance and gives its ARN.
    pub(crate) async fn register(&self, machine: &Machine) -> String {
        let answer = self.ask(Operation::RegisterContainerInstance, machine.registration()).await;
        answer["containerInstance"]["containerInstanceArn"].as_str().unwrap().into()
    }

    /// Connects an instance's agent and waits until that is known.
    pub(crate) async fn connect(&self, instance: &str) -> Agent {
        let agent = Agent::connect(self, instance).await.unwrap();
        self.until_connected(instance, true).await;
        agent
    }

    /// A registered container instance with its agent connected.
    pub(crate) async fn join(&self, machine: &Machine) -> Agent {
        let arn = self.register(machine).await;
        self.connect(&arn).await
    }

    pub(crate) async fn until_connected(&self, instance: &str, connected: bool) {
        let id = instance_id(instance);
        self.until("the connection", |state| {
            state.instance(id).is_some_and(|it| it.agent_connected == connected)
        })
        .await;
    }

    /// Sets an instance ACTIVE or DRAINING.
    pub(crate) async fn set_state(&self, instance: &str, status: &str) {
        let body = json!({"containerInstances": [instance], "status": status});
        let answer = self.ask(Operation::UpdateContainerInstancesState, body).await;
        assert_eq!(answer["failures"], json!([]));
    }

    /// Deregisters an instance, and with it its tasks.
    pub(crate) async fn deregister(&self, instance: &str) {
        let body = json!({"containerInstance": instance, "force": true});
        self.ask(Operation::DeregisterContainerInstance, body).await;
    }

    /// Registers a definition of one container `main`, with these members besides its name.
    pub(crate) async fn define(&self, family: &str, container: Value) {
        let mut main = json!({"name": "main", "image": "busybox"});
        main.as_object_mut().unwrap().extend(container.as_object().unwrap().clone());
        let body = json!({"family": family, "containerDefinitions": [main]});
        self.ask(Operation::RegisterTaskDefinition, body).await;
    }

    /// The task as DescribeTasks shows it.
    pub(crate) async fn task(&self, task: &str) -> Value {
        let answer = self.ask(Operation::DescribeTasks, json!({"tasks": [task]})).await;
        answer["tasks"][0].clone()
    }

    /// The container instance as DescribeContainerInstances shows it.
    pub(crate) async fn instance(&self, instance: &str) -> Value {
        let body = json!({"containerInstances": [instance]});
        let answer = self.ask(Operation::DescribeContainerInstances, body).await;
        answer["containerInstances"][0].clone()
    }

    /// What an agent reports of a task as a whole.
    pub(crate) async fn report(&self, task: &str, status: &str) {
        let body = json!({"cluster": "default", "task": task, "status": status});
        self.ask(Operation::SubmitTaskStateChange, body).await;
    }

    pub(crate) fn request_shutdown(&self) {
        self.shutdown.send_replace(true);
    }

    /// What the server's run comes to.
    pub(crate) async fn end(self) -> Result<(), ServerError> {
        soon("the server's end", self.served).await.unwrap()
    }
}

/// The id at the end of an ARN.
fn instance_id(arn: &str) -> InstanceId {
    arn.rsplit('/').next().unwrap().parse().unwrap()
}
