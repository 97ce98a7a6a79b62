//! The image of the tests: one static program, compiled here and imported from scratch.

use bollard::query_parameters::CreateImageOptions;
use bollard::{Docker, body_full};
use futures_util::TryStreamExt;
use tokio::sync::OnceCell;

/// The image's name. Raise the tag when the program changes.
pub(crate) const IMAGE: &str = "longshore-agent-test:3";

const SOURCE: &str = include_str!("guest_program.rs");

/// Makes the image unless an earlier run has; it stays, for the next one.
pub(crate) async fn ensure_image(docker: &Docker) {
    static MADE: OnceCell<()> = OnceCell::const_new();
    MADE.get_or_init(|| async {
        // Other processes may be about it too, and of two images of one name one would be left
        // without.
        let path = std::env::temp_dir().join(format!("{}.lock", IMAGE.replace(':', "-")));
        let lock = std::fs::File::create(path).unwrap();
        let _lock = tokio::task::spawn_blocking(|| lock.lock().map(|()| lock)).await.unwrap();
        if docker.inspect_image(IMAGE).await.is_ok() {
            return;
        }
        let program = tokio::task::spawn_blocking(compile).await.unwrap();
        let options = CreateImageOptions {
            from_src: Some("-".to_owned()),
            repo: Some(IMAGE.to_owned()),
            changes: vec!["ENTRYPOINT [\"/guest\"]".to_owned()],
            ..Default::default()
        };
        let archive = body_full(tar("guest", &program).into());
        let import = docker.create_image(Some(options), Some(archive), None);
        import.try_collect::<Vec<_>>().await.expect("the image cannot be imported");
    })
    .await;
}

fn compile() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let (source, program) = (dir.path().join("guest.rs"), dir.path().join("guest"));
    std::fs::write(&source, SOURCE).unwrap();
    let status = std::process::Command::new("rustc")
        .args([
            "--edition",
            "2024",
            "-O",
            "-C",
            "target-feature=+crt-static",
            "-C",
            "strip=symbols",
        ])
        .arg("-o")
        .arg(&program)
        .arg(&source)
        .status()
        .expect("rustc is needed to make the image");
    assert!(status.success(), "the guest program does not compile");
    std::fs::read(&program).unwrap()
}

/// A tar archive of one executable file.
fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [b'\0'; 512];
    let mut put =
        |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000755");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{:011o}", content.len()));
    put(136, "00000000000");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar");
    put(263, "00");
    let sum: u32 = header.iter().map(|it| u32::from(*it)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = header.to_vec();
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(512) + 1024, 0);
    archive
}
