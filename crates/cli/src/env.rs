//! `longshore env`: the variables by which AWS clients find the server.

use anyhow::Context;
use clap::Args;
use longshore_server::RootKey;

use crate::data_dir::Endpoint;
use crate::options::DataDir;

/// `eval "$(longshore env --data-dir DIR)"`
#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    data_dir: DataDir,
}

/// Prints an `export` line for each variable.
pub(crate) fn print(options: &Options) -> anyhow::Result<()> {
    let dir = options.data_dir.path();
    let endpoint = Endpoint::load(&dir)?;
    let key = RootKey::load(&dir).context("the server's access key cannot be read")?;
    let variables = [
        ("AWS_ENDPOINT_URL_ECS", &endpoint.url),
        ("AWS_ACCESS_KEY_ID", &key.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &key.secret_access_key),
        ("AWS_DEFAULT_REGION", &endpoint.region),
    ];
    for (name, value) in variables {
        println!("export {name}={}", quoted(value));
    }
    Ok(())
}

/// A word that a shell reads back as it is.
fn quoted(text: &str) -> String {
    let plain = |it: char| it.is_ascii_alphanumeric() || "_-./:+=@".contains(it);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_change_is_quoted() {
        assert_eq!(quoted("http://127.0.0.1:8327"), "http://127.0.0.1:8327");
        assert_eq!(quoted("a$b"), "'a$b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
