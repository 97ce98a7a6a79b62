use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use tempfile::TempDir;

use super::*;
use crate::tls::CertificateFilesError;

/// 2026-11-24T00:00:00Z.
const MIDNIGHT: i64 = 1_795_478_400;

/// Writes a self-signed certificate and its key, and gives the source that they are.
fn files(dir: &Path) -> (Source, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["ecs.example".into()]).unwrap();
    let files = CertificateFiles { certificate: dir.join("cert.pem"), key: dir.join("key.pem") };
    fs::write(&files.certificate, params.self_signed(&key).unwrap().pem()).unwrap();
    write_key(&files.key, &key.serialize_pem());
    (Source::Files(files), key)
}

fn write_key(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

fn open(source: Source) -> Result<Certificates, TlsError> {
    Certificates::open(source, &ring::default_provider(), MIDNIGHT)
}

fn shown(certificates: &Certificates) -> CertificateDer<'static> {
    certificates.shown.read().unwrap().cert[0].clone()
}

fn renewed(certificates: &Certificates, now_secs: i64) -> bool {
    let before = shown(certificates);
    certificates.renew(&ring::default_provider(), now_secs);
    shown(certificates) != before
}

/// What is said of files after something was done to them.
fn refused(spoil: impl FnOnce(&Path)) -> String {
    let dir = tempfile::tempdir().unwrap();
    let (source, _) = files(dir.path());
    spoil(dir.path());
    let error = open(source).unwrap_err();
    assert!(matches!(error, TlsError::Files(_)));
    error.to_string().replace(&format!("{}/", dir.path().display()), "")
}

#[test]
fn each_thing_that_is_wrong_with_files_is_told_apart() {
    let missing = |name: &'static str| refused(move |dir| fs::remove_file(dir.join(name)).unwrap());
    assert!(missing("cert.pem").starts_with("cert.pem cannot be read: No such file"));
    assert!(missing("key.pem").starts_with("key.pem cannot be read: No such file"));
    let no_certificate = refused(|dir| fs::write(dir.join("cert.pem"), "hello").unwrap());
    assert_eq!(no_certificate, "cert.pem holds no certificate in PEM form");
    let no_key = refused(|dir| write_key(&dir.join("key.pem"), "hello"));
    assert_eq!(no_key, "key.pem holds no private key in PEM form");
    let other = refused(|dir| {
        write_key(&dir.join("key.pem"), &KeyPair::generate().unwrap().serialize_pem());
    });
    assert_eq!(other, "the key in key.pem does not belong to the certificate in cert.pem");
    let damaged = refused(|dir| {
        let text = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        fs::write(dir.join("cert.pem"), text).unwrap();
    });
    assert!(damaged.contains("cert.pem with the key in key.pem cannot be used"), "{damaged}");
}

#[test]
fn a_key_that_everybody_may_read_is_refused_and_one_of_a_group_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let open_to = |mode| {
        let (source, _) = files(dir.path());
        fs::set_permissions(dir.path().join("key.pem"), Permissions::from_mode(mode)).unwrap();
        open(source)
    };
    for mode in [0o400, 0o600, 0o640] {
        assert!(open_to(mode).is_ok(), "{mode:o}");
    }
    for mode in [0o644, 0o604, 0o602] {
        let error = open_to(mode).unwrap_err();
        let is_open = matches!(error, TlsError::Files(CertificateFilesError::KeyOpenToAll(_)));
        assert!(is_open, "{mode:o}: {error}");
    }
}

#[test]
fn files_that_are_replaced_count_and_bad_ones_leave_the_old_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let (source, _) = files(dir.path());
    let certificates = open(source).unwrap();
    assert!(!renewed(&certificates, MIDNIGHT), "nothing has changed");
    // The certificate without its key is the moment between two renames.
    write_key(&dir.path().join("key.pem"), &KeyPair::generate().unwrap().serialize_pem());
    assert!(!renewed(&certificates, MIDNIGHT));
    fs::remove_file(dir.path().join("key.pem")).unwrap();
    assert!(!renewed(&certificates, MIDNIGHT));
    files(dir.path());
    assert!(renewed(&certificates, MIDNIGHT));
}

fn of_authority(dir: &TempDir, names: &[&str]) -> Certificates {
    let authority = Box::new(Authority::load_or_create(dir.path()).unwrap());
    let names = names.iter().map(|it| it.parse().unwrap()).collect();
    open(Source::Authority { authority, names, port: 8327 }).unwrap()
}

#[test]
fn an_authoritys_certificate_is_a_new_one_each_day() {
    let dir = tempfile::tempdir().unwrap();
    let certificates = of_authority(&dir, &[]);
    assert!(!renewed(&certificates, MIDNIGHT + DAY_SECS - 1));
    assert!(renewed(&certificates, MIDNIGHT + DAY_SECS));
    assert!(!renewed(&certificates, MIDNIGHT + DAY_SECS));
    assert!(certificates.authority().is_some());
}
