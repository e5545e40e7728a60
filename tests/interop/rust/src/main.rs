// SPDX-License-Identifier: BSD-3-Clause
//! Joins a tailnet with the official Rust client and stays until its input ends.
//!
//!     TS_AUTH_KEY=... ts2021-rust-node CONTROL_URL KEY_FILE HOST_NAME
//!
//! It prints one line of JSON when it is in, and one for each line that it reads. Where it must be let in first it
//! prints {"login":URL} before them.
//!
//!     self               -> {"name":..., "addresses":[v4, v6], "status":..., "relay":...}
//!     peer NAME          -> the same of a peer, or null
//!     reach ADDRESS:PORT -> {"answer":...}: a line sent over TCP through the tailnet, and what came back
//!
//! A failure is {"error":...}. Other nodes reach it at TCP port 7, which sends back what it gets.

use std::{error::Error, net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use tailscale::{AuthState, Config, Device, NodeInfo, config::auth_key_from_env};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy, split, stdin};

const ECHO_PORT: u16 = 7;
const LIMIT: Duration = Duration::from_secs(15);

type Outcome<T> = Result<T, Box<dyn Error>>;

fn describe(node: &NodeInfo) -> Value {
    let addresses = &node.tailnet_address;
    json!({
        "name": node.hostname,
        "addresses": [addresses.ipv4.addr().to_string(), addresses.ipv6.addr().to_string()],
        "status": format!("{:?}", node.status),
        "relay": node.derp_region.map(|region| format!("{region:?}")),
    })
}

async fn reach(device: &Device, target: SocketAddr) -> Outcome<Value> {
    const WORDS: &[u8] = b"through the tailnet\n";
    let mut stream = device.tcp_connect(target).await?;
    stream.write_all(WORDS).await?;
    let mut back = vec![0; WORDS.len()];
    stream.read_exact(&mut back).await?;
    Ok(json!({ "answer": String::from_utf8_lossy(&back).trim_end() }))
}

async fn obey(device: &Device, line: &str) -> Outcome<Value> {
    match line.split_once(' ').unwrap_or((line, "")) {
        ("self", "") => Ok(describe(&device.self_node().await?)),
        ("peer", name) => Ok(device.peer_by_name(name).await?.as_ref().map_or(Value::Null, describe)),
        ("reach", target) => reach(device, target.parse()?).await,
        _ => Err("not a command".into()),
    }
}

async fn echo(device: &Device) -> Outcome<()> {
    let listener = device.tcp_listen((device.ipv4_addr().await?, ECHO_PORT).into()).await?;
    tokio::spawn(async move {
        while let Ok(stream) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = split(stream);
                let _ = copy(&mut from, &mut to).await;
            });
        }
    });
    Ok(())
}

#[tokio::main]
async fn main() -> Outcome<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let [url, key_file, host_name] = std::env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| {
        "usage: ts2021-rust-node CONTROL_URL KEY_FILE HOST_NAME"
    })?;
    let mut config = Config::default_with_key_file(key_file).await?;
    config.control_server_url = url.parse()?;
    config.requested_hostname = Some(host_name);
    let device = Device::new(&config, auth_key_from_env()).await?;
    if let AuthState::NotAuthorized(url) = device.is_authorized().await? {
        println!("{}", json!({ "login": url.to_string() }));
        while let AuthState::NotAuthorized(_) = device.is_authorized().await? {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    echo(&device).await?;
    println!("{}", describe(&device.self_node().await?));

    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let answer = match tokio::time::timeout(LIMIT, obey(&device, &line)).await {
            Ok(Ok(value)) => value,
            Ok(Err(error)) => json!({ "error": error.to_string() }),
            Err(_) => json!({ "error": "it took too long" }),
        };
        println!("{answer}");
    }
    device.shutdown(Some(Duration::from_secs(2))).await;
    Ok(())
}
