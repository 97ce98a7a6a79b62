//! A `moto_server` process with container instances, which moto wants to be EC2 instances of its
//! own.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use longshore_load::{Client, RootKey, free_port};
use longshore_wire::{CONTENT_TYPE, TARGET_HEADER};
use serde_json::json;
use tokio::task::block_in_place;

use super::caller::Connection;

/// The longest that a start may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// moto looks at the scope to know which service is meant, and at nothing else.
const SCOPE: &str = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1";

/// A server; dropping it ends it.
pub(crate) struct Moto {
    child: Child,
    address: SocketAddr,
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended by itself; asked to, it sometimes does not.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Moto {
    /// Starts one whose default cluster has so many container instances.
    pub(crate) fn start(binary: &Path, instances: u64) -> anyhow::Result<Self> {
        block_in_place(|| {
            let moto = Self::begin(binary)?;
            moto.ask("ecs", "CreateCluster", &json!({}).to_string())?;
            for instance in moto.run_instances(instances)? {
                let document = json!({ "instanceId": instance }).to_string();
                let body = json!({ "instanceIdentityDocument": document }).to_string();
                moto.ask("ecs", "RegisterContainerInstance", &body)?;
            }
            Ok(moto)
        })
    }

    fn begin(binary: &Path) -> anyhow::Result<Self> {
        let port = free_port()?;
        let child = Command::new(binary)
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{} cannot be started", binary.display()))?;
        let mut moto = Self { child, address: SocketAddr::from(([127, 0, 0, 1], port)) };
        let since = Instant::now();
        while TcpStream::connect(moto.address).is_err() {
            if let Some(status) = moto.child.try_wait()? {
                bail!("moto_server ended with {status}");
            }
            if since.elapsed() > PATIENCE {
                bail!("moto_server does not listen after {PATIENCE:?}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(moto)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A client of its ECS. It signs, for what that is worth.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        let key = RootKey {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret_access_key: "nobody looks at it".into(),
        };
        Client::new(&self.address.to_string(), key)
    }

    fn run_instances(&self, count: u64) -> anyhow::Result<Vec<String>> {
        let body = format!(
            "Action=RunInstances&Version=2016-11-15&ImageId=ami-12c6146b&MinCount={count}&MaxCount={count}"
        );
        let answer = self.ask("ec2", "", &body)?;
        let ids = answer.split("<instanceId>").skip(1);
        let ids: Vec<_> = ids.filter_map(|it| Some(it.split_once('<')?.0.to_owned())).collect();
        if ids.len() as u64 != count {
            bail!("moto runs {} EC2 instances, not {count}", ids.len());
        }
        Ok(ids)
    }

    /// One call, which must succeed; EC2's have no target.
    fn ask(&self, service: &str, operation: &str, body: &str) -> anyhow::Result<String> {
        let (content_type, target) = match service {
            "ecs" => (CONTENT_TYPE, format!("AmazonEC2ContainerServiceV20141113.{operation}")),
            _ => ("application/x-www-form-urlencoded", String::new()),
        };
        let request = format!(
            "POST / HTTP/1.1\r\nhost: {}\r\ncontent-type: {content_type}\r\n\
             {TARGET_HEADER}: {target}\r\nauthorization: {SCOPE}/{service}/aws4_request, \
             SignedHeaders=host, Signature=00\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len(),
        );
        let mut connection = Connection::new(self.address);
        let answer = connection.call(request.as_bytes())?;
        let text = String::from_utf8_lossy(answer.body).into_owned();
        if answer.status != 200 {
            bail!("moto answers {service} {operation} with HTTP {}: {text}", answer.status);
        }
        Ok(text)
    }
}
