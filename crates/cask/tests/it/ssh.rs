//! Keys of OpenSSH, in files and in an agent; and the tools of others on what cask signed.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::world::{Ran, World, until};

fn ssh_keygen(dir: &Path, name: &str, passphrase: &str) -> String {
    let path = dir.join(name);
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", passphrase, "-C", "carol", "-f"])
        .arg(&path)
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success());
    path.to_str().unwrap().to_owned()
}

fn ok(ran: &Ran) {
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

/// A pending toolpack, trusted alice with a key of cask, and carol with this public key.
fn with_carol(public: &str) -> World {
    let world = World::new();
    ok(&world.cask(&["gate", "sync"]));
    ok(&world.cask(&["trust", "init"]));
    ok(&world.cask(&["trust", "add", "carol", "--key", public]));
    world
}

fn raw(world: &World) {
    ok(&world.cask(&["gate", "export", "get_user", "--raw", "raw"]));
}

fn verify(world: &World, message: &str) -> bool {
    let dir = world.path("raw");
    let file = std::fs::File::open(dir.join(message)).unwrap();
    let done = Command::new("ssh-keygen")
        .args([
            "-Y",
            "verify",
            "-n",
            "cask",
            "-I",
            "carol",
            "-f",
            "tool_get_user.carol.allowed_signers",
            "-s",
            "tool_get_user.carol.sig",
        ])
        .current_dir(&dir)
        .stdin(file)
        .output()
        .unwrap();
    done.status.success()
}

#[test]
fn ssh_keygen_checks_what_an_ssh_key_signed() {
    let keys = tempfile::tempdir().unwrap();
    let key = ssh_keygen(keys.path(), "carol", "");
    let world = with_carol(&format!("{key}.pub"));
    // The owner of the key is the signer: nobody has to say it.
    let ran = world.cask(&["gate", "allow", "--all", "--yes", "--sign-with", &key]);
    ok(&ran);
    assert!(ran.out.contains("as carol"), "{}", ran.out);
    ok(&world.cask(&["gate", "check"]));
    raw(&world);
    assert!(verify(&world, "tool_get_user.carol.message"));
    std::fs::write(world.path("raw/other"), "something else").unwrap();
    assert!(!verify(&world, "other"));
    let lockfile = world.read("lockfile/caskmcp.lock.approved.yaml");
    assert!(lockfile.contains("key: \"SHA256:") || lockfile.contains("key: SHA256:"), "{lockfile}");
}

#[test]
fn openssl_checks_what_a_key_of_cask_signed() {
    let world = World::approved();
    raw(&world);
    let check = |message: &str| {
        let name = "tool_get_user.alice@example.com";
        Command::new("openssl")
            .args([
                "pkeyutl",
                "-verify",
                "-pubin",
                "-rawin",
                "-inkey",
                &format!("{name}.pem"),
                "-sigfile",
                &format!("{name}.sig"),
                "-in",
                message,
            ])
            .current_dir(world.path("raw"))
            .output()
            .unwrap()
            .status
            .success()
    };
    assert!(check("tool_get_user.alice@example.com.message"));
    std::fs::write(world.path("raw/other"), "something else").unwrap();
    assert!(!check("other"));
}

struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_agent_signs_and_never_hands_out_the_key() {
    let keys = tempfile::tempdir().unwrap();
    let key = ssh_keygen(keys.path(), "carol", "");
    let socket = keys.path().join("agent");
    let agent =
        Command::new("ssh-agent").args(["-D", "-a"]).arg(&socket).stdout(Stdio::null()).spawn().unwrap();
    let _agent = Agent(agent);
    until("the agent listens", || std::os::unix::net::UnixStream::connect(&socket).is_ok());
    let added = Command::new("ssh-add").arg("-q").arg(&key).env("SSH_AUTH_SOCK", &socket).output().unwrap();
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let world = with_carol(&format!("{key}.pub"));
    std::fs::remove_file(&key).unwrap();
    let cask =
        |args: &[&str]| -> Ran { world.command(args).env("SSH_AUTH_SOCK", &socket).output().unwrap().into() };
    let listed = cask(&["keys", "list"]).out;
    let place = listed.split_whitespace().find(|word| word.starts_with("agent:")).unwrap().to_owned();
    assert!(listed.contains("carol"), "{listed}");
    ok(&cask(&["gate", "allow", "--all", "--yes", "--sign-with", &place]));
    ok(&world.cask(&["gate", "check"]));
    raw(&world);
    assert!(verify(&world, "tool_get_user.carol.message"));
    let ran = cask(&["gate", "block", "pay", "--sign-with", "agent:SHA256:nobody"]);
    assert!(ran.code == 3 && ran.err.contains("it has SHA256:"), "{}", ran.err);
    let ran = world.cask(&["gate", "block", "pay", "--sign-with", &place]);
    assert!(ran.code == 3 && ran.err.contains("SSH_AUTH_SOCK is not set"), "{}", ran.err);
}

#[test]
fn a_passphrase_protects_a_key() {
    let keys = tempfile::tempdir().unwrap();
    let key = ssh_keygen(keys.path(), "carol", "open sesame");
    let world = with_carol(&format!("{key}.pub"));
    let with = |passphrase: &str, args: &[&str]| -> Ran {
        world.command(args).env("CASK_PASSPHRASE", passphrase).output().unwrap().into()
    };
    let args = ["gate", "allow", "--all", "--yes", "--sign-with", &key];
    let ran = world.cask(&args);
    assert!(ran.code == 3 && ran.err.contains("CASK_PASSPHRASE"), "{}", ran.err);
    let ran = with("wrong", &args);
    assert!(ran.code == 3 && ran.err.contains("another passphrase"), "{}", ran.err);
    ok(&with("open sesame", &args));
    // The same for a key that cask makes.
    let made = with("S3CRET words", &["keys", "new", "--by", "dave", "--passphrase"]);
    ok(&made);
    let text = std::fs::read_to_string(world.root().join("state/keys/dave.pem")).unwrap();
    assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    let public = made.out.lines().nth(1).unwrap();
    ok(&world.cask(&["trust", "add", "dave", "--key", public]));
    let ran = with("wrong", &["gate", "block", "pay", "--by", "dave"]);
    assert!(ran.code == 3 && ran.err.contains("another passphrase"), "{}", ran.err);
    let ran = with("S3CRET words", &["gate", "block", "pay", "--by", "dave"]);
    ok(&ran);
    assert!(!format!("{}{}{}", ran.out, ran.err, made.err).contains("S3CRET"));
    assert!(world.cask(&["keys", "list"]).out.contains("(encrypted)"));
}

#[test]
fn keys_of_others_are_imported_and_bad_ones_refused() {
    let keys = tempfile::tempdir().unwrap();
    let key = ssh_keygen(keys.path(), "carol", "");
    let world = World::new();
    ok(&world.cask(&["gate", "sync"]));
    ok(&world.cask(&["keys", "import", &key]));
    ok(&world.cask(&["gate", "allow", "--all", "--yes"]));
    ok(&world.cask(&["gate", "check"]));
    let shown = world.cask(&["keys", "show"]).out;
    assert!(shown.starts_with("ssh-ed25519 "), "{shown}");
    let again = world.cask(&["keys", "import", &key]);
    assert!(again.code == 3 && again.err.contains("is there already"), "{}", again.err);
    let secret = std::fs::read_to_string(&key).unwrap();
    let rsa = keys.path().join("rsa");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f"])
        .arg(&rsa)
        .status()
        .unwrap();
    assert!(made.success());
    let cut = keys.path().join("cut");
    std::fs::write(&cut, &secret[..secret.len() / 2]).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&cut, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    for (bad, why) in
        [(rsa.to_str().unwrap(), "not an Ed25519 key"), (cut.to_str().unwrap(), "not an OpenSSH private key")]
    {
        let ran = world.cask(&["gate", "block", "pay", "--sign-with", bad]);
        assert!(ran.code == 3 && ran.err.contains(why), "{}", ran.err);
    }
    let ran = world.cask(&["trust", "add", "x", "--key", &key]);
    assert!(ran.code == 3 && ran.err.contains("is a private key"), "{}", ran.err);
    let ran = world.cask(&["trust", "add", "x", "--key", &format!("{}.pub", rsa.display())]);
    assert!(ran.code == 3 && ran.err.contains("not an Ed25519 public key"), "{}", ran.err);
    let body = secret.lines().nth(1).unwrap();
    for (path, bytes) in crate::world::files(&world.root()) {
        let here = path.starts_with(world.root().join("state/keys"));
        assert!(here || !String::from_utf8_lossy(&bytes).contains(body), "{}", path.display());
    }
}
