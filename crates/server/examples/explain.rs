//! What it costs to say why, on this machine: `cargo run --release -p longshore-server --example
//! explain [INSTANCES]`. Prints, for `explain` and for a RunTask that fits nowhere, how long a
//! signed call over HTTP takes (the median of five) and how long its answer is.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, HOST};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use longshore_control::Control;
use longshore_model::container_instance::VersionInfo;
use longshore_model::{
    Attribute, Clock, ContainerInstance, Ids, InstanceId, InstanceStatus, Owner, Resources,
    Timestamp,
};
use longshore_server::{Keys, MasterKey, RootKey, Server};
use longshore_store::{MemoryJournal, Store, StoreError};
use longshore_wire::sigv4::{Credentials, SignedRequest, sign};
use longshore_wire::{Operation, TARGET_HEADER};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::watch;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const KEY: Credentials<'_> = Credentials { access_key_id: "KEY", secret_access_key: "secret" };
const EXPLAIN: &str = "/longshore/v1/explain";
const RUNS: usize = 5;

#[tokio::main]
async fn main() -> Outcome<()> {
    let instances = std::env::args().nth(1).map_or(Ok(10_000), |it| it.parse())?;
    let place = Place::open(instances).await?;
    for memory in [64, 512, 100_000] {
        place.define(memory).await?;
    }
    for _ in 0..instances / 5 {
        place.run(json!({"taskDefinition": "job512", "count": 10})).await?;
    }
    println!("{instances} instances of 3 zones, 2 tasks on each; median of {RUNS}");
    let constraint = |expression| json!([{"type": "memberOf", "expression": expression}]);
    let binpack = json!([{"type": "spread", "field": "attribute:zone"}, {"type": "binpack", "field": "memory"}]);
    let fits_nowhere = json!({"taskDefinition": "job100000"});
    let three_causes = json!({
        "taskDefinition": "job100000",
        "placementConstraints": constraint("attribute:zone == d"),
        "overrides": {"containerOverrides": [{"name": "main", "cpu": 50_000}]},
    });
    for (what, body) in [
        ("1 task fits", json!({"taskDefinition": "job64"})),
        (
            "10,000 tasks fit, spread and binpack",
            json!({"taskDefinition": "job64", "count": 10_000, "placementStrategy": binpack}),
        ),
        (
            "10,000 tasks fit, spread(instanceId)",
            json!({"taskDefinition": "job64", "count": 10_000, "placementStrategy": [{"type": "spread", "field": "instanceId"}]}),
        ),
        ("fits nowhere: memory", fits_nowhere.clone()),
        ("fits nowhere: three causes", three_causes.clone()),
        (
            "fits nowhere: a regular expression",
            json!({"taskDefinition": "job64", "placementConstraints": constraint("attribute:zone =~ d.*")}),
        ),
    ] {
        for listed in ["all", "none"] {
            let mut body = body.clone();
            body["instances"] = listed.into();
            let (took, bytes) = place.median(EXPLAIN, None, &body).await?;
            println!("explain, {what}, instances {listed}: {took:.1?}, {bytes} bytes");
        }
    }
    let target = Some(Operation::RunTask.target());
    for (what, body) in [("memory", fits_nowhere), ("three causes", three_causes)] {
        let (took, bytes) = place.median("/", target, &body).await?;
        println!("RunTask, fits nowhere: {what}: {took:.1?}, {bytes} bytes");
    }
    Ok(())
}

struct Now;

impl Clock for Now {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(since_the_epoch().as_millis() as i64)
    }
}

/// The instances' order is that of their ids.
#[derive(Default)]
struct Counted(std::sync::atomic::AtomicU64);

impl Ids for Counted {
    fn next_bits(&self) -> u128 {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed).into()
    }
}

#[allow(clippy::disallowed_methods, reason = "the shell of a measurement")]
fn since_the_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A running server.
struct Place {
    address: SocketAddr,
    _shutdown: watch::Sender<bool>,
}

impl Place {
    async fn open(instances: usize) -> Outcome<Self> {
        let store = Store::open(MemoryJournal::default())?;
        let owner = Owner { region: "us-east-1".into(), account: "111122223333".into() };
        let control =
            Control::new(store.clone(), Arc::new(Now), Arc::new(Counted::default()), owner);
        control.create_cluster("default".parse()?, Default::default()).await?;
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let key = RootKey {
            access_key_id: KEY.access_key_id.into(),
            secret_access_key: KEY.secret_access_key.into(),
        };
        let keys = Keys { root: key, master: MasterKey::random() };
        let server = Server::bind(any_port, control, keys, None).await?;
        let address = server.address()?;
        // After the start, which takes every agent for gone.
        store
            .update(|tx| {
                for number in 0..instances {
                    tx.put_instance(instance(number));
                }
                Ok::<_, StoreError>(())
            })
            .await?;
        let (shutdown, requested) = watch::channel(false);
        tokio::spawn(server.run(requested));
        Ok(Self { address, _shutdown: shutdown })
    }

    async fn define(&self, memory: u32) -> Outcome<()> {
        let main = json!({"name": "main", "image": "busybox", "memory": memory, "cpu": 10});
        let body = json!({"family": format!("job{memory}"), "containerDefinitions": [main]});
        self.call("/", Some(Operation::RegisterTaskDefinition.target()), &body).await.map(drop)
    }

    async fn run(&self, body: Value) -> Outcome<()> {
        self.call("/", Some(Operation::RunTask.target()), &body).await.map(drop)
    }

    async fn median(
        &self,
        path: &str,
        target: Option<&str>,
        body: &Value,
    ) -> Outcome<(Duration, usize)> {
        let mut seen = Vec::new();
        for _ in 0..RUNS {
            seen.push(self.call(path, target, body).await?);
        }
        seen.sort_unstable();
        Ok(seen[RUNS / 2])
    }

    /// A call that succeeds: how long it took, and how long its answer is.
    async fn call(
        &self,
        path: &str,
        target: Option<&str>,
        body: &Value,
    ) -> Outcome<(Duration, usize)> {
        let body = body.to_string();
        let mut headers: Vec<(&str, &[u8])> = vec![(HOST.as_str(), b"localhost")];
        headers.extend(target.map(|it| (TARGET_HEADER, it.as_bytes())));
        let unsigned = SignedRequest {
            method: "POST",
            path,
            query: "",
            headers: &headers,
            body: body.as_bytes(),
        };
        let signature =
            sign(&unsigned, KEY, "us-east-1", "ecs", since_the_epoch().as_secs() as i64);
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request
            .header("x-amz-date", signature.amz_date)
            .header(AUTHORIZATION, signature.authorization)
            .body(Full::new(Bytes::from(body)))?;
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let begun = Instant::now();
        let response = sender.send_request(request).await?;
        let status = response.status();
        let answer = response.into_body().collect().await?.to_bytes();
        let took = begun.elapsed();
        connection.abort();
        match status.is_success() {
            true => Ok((took, answer.len())),
            false => Err(String::from_utf8_lossy(&answer).into_owned().into()),
        }
    }
}

fn instance(number: usize) -> ContainerInstance {
    let zone = ["a", "b", "c"][number % 3];
    let agent = |it: &str| Attribute::named(format!("com.amazonaws.ecs.capability.{it}"));
    let attributes = vec![
        Attribute::with_value("zone", zone),
        agent("docker-remote-api.1.21"),
        agent("logging-driver.json-file"),
    ];
    ContainerInstance {
        id: InstanceId::from_bits(number as u128 + 1),
        arn_form: Default::default(),
        cluster: "default".parse().expect("a name"),
        status: InstanceStatus::Active,
        agent_connected: true,
        connected_at: None,
        away_since: None,
        version: 1,
        registered: Resources { cpu_units: 4096, memory_mib: 16_384 },
        reserved_ports_tcp: [22, 2375, 2376, 51678, 51679].into(),
        reserved_ports_udp: Default::default(),
        attributes,
        ec2_instance_id: Some(format!("i-{number:017x}")),
        version_info: VersionInfo::default(),
        registered_at: Timestamp::from_millis(0),
        deregistered_at: None,
        tags: Default::default(),
    }
}
