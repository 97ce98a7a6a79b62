//! `longshore ca`: whom clients on other machines trust.

use std::io;

use anyhow::Context;
use clap::Args;
use longshore_server::{Authority, AuthorityError};

use crate::options::DataDir;

/// `longshore ca > ca.pem`, then AWS_CA_BUNDLE=ca.pem for AWS clients, or --ca-file ca.pem for
/// `longshore agent`.
#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    data_dir: DataDir,

    /// Prints only the certificate's SHA-256, for `longshore agent --ca-fingerprint`.
    #[arg(long, env = "LONGSHORE_FINGERPRINT")]
    fingerprint: bool,
}

/// Prints the certificate in PEM.
pub(crate) fn print(options: &Options) -> anyhow::Result<()> {
    let dir = options.data_dir.path();
    let authority = match Authority::load(&dir) {
        Err(AuthorityError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Err(source).with_context(|| {
                format!(
                    "there is no certificate authority in {0}: has a server been started with \
                     --data-dir {0}, and without --tls-cert?",
                    dir.display()
                )
            });
        }
        loaded => loaded?,
    };
    if options.fingerprint {
        println!("{}", authority.fingerprint());
    } else {
        print!("{}", authority.pem());
    }
    Ok(())
}
