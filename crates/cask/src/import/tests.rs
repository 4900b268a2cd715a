use std::fs;
use std::io::Write as _;

use cask_core::ids::CaptureId;
use serde_json::{Value, json};

use super::*;

const SECRET: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";

struct World {
    dir: tempfile::TempDir,
    ctx: Ctx,
}

fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let ctx = Ctx {
        root: dir.path().join("root"),
        out: None,
        terminal: false,
        colour: false,
        trust_root: None,
        fixed_now: None,
    };
    World { dir, ctx }
}

impl World {
    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn import(&self, files: &[PathBuf], hosts: &str, threads: usize) -> Result<Imported, Error> {
        let hosts = Hosts::parse(&[hosts]).unwrap();
        let options = Options { hosts, profile: Profile::default(), threads, command: "cask capture import" };
        let mut imported = import(files, &options, &self.ctx)?;
        imported.saving.wait()?;
        Ok(imported)
    }

    fn folder(&self, imported: &Imported) -> PathBuf {
        self.ctx.root.join("captures").join(&imported.capture.id)
    }

    fn captures(&self) -> Vec<String> {
        let Ok(all) = fs::read_dir(self.ctx.root.join("captures")) else { return Vec::new() };
        all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

fn entry(number: usize, host: &str) -> Value {
    json!({
        "request": {
            "method": "GET",
            "url": format!("https://{host}/v1/things/{number}?token={SECRET}"),
            "headers": [{"name": "Authorization", "value": format!("Bearer {SECRET}")}, {"name": "User-Agent", "value": "x"}],
        },
        "response": {
            "status": 200,
            "content": {"mimeType": "application/json", "text": json!({"id": number, "pad": "x".repeat(number % 977)}).to_string()},
        },
    })
}

fn har(count: usize, host: &str) -> String {
    let entries: Vec<Value> = (0..count).map(|number| entry(number, host)).collect();
    json!({"log": {"version": "1.2", "creator": {"name": "T", "version": "1"}, "entries": entries}})
        .to_string()
}

#[test]
fn the_result_does_not_depend_on_threads_order_or_packing() {
    let world = world();
    let (a, b) = (world.file("a.har", har(3000, "a.test")), world.file("b.har", har(10, "b.test")));
    let one = world.import(&[a.clone(), b.clone()], "a.test,b.test", 1).unwrap();
    assert_eq!((one.capture.kept(), one.exit), (3010, Exit::Pass));
    let lines = fs::read(world.folder(&one).join("exchanges.jsonl")).unwrap();
    let record = fs::read(world.folder(&one).join("capture.json")).unwrap();
    let other = world.import(&[b, a.clone(), a], "b.test, a.test", 7).unwrap();
    assert_eq!(other.capture_id, one.capture_id);
    assert_eq!(fs::read(world.folder(&other).join("exchanges.jsonl")).unwrap(), lines);
    assert_eq!(fs::read(world.folder(&other).join("capture.json")).unwrap(), record);
    assert_eq!(world.captures(), [one.capture_id.as_str()]);

    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(har(3000, "a.test").as_bytes()).unwrap();
    let packed = world.file("packed.bin", packed.finish().unwrap());
    let plain = world.file("plain.har", har(3000, "a.test"));
    let ids = [packed, plain].map(|file| world.import(&[file], "a.test", 0).unwrap().capture_id);
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn no_secret_reaches_the_disk_or_the_report() {
    let world = world();
    let file = world.file("a.har", har(20, "a.test"));
    let imported = world.import(&[file], "a.test", 0).unwrap();
    for name in ["exchanges.jsonl", "capture.json"] {
        let text = fs::read_to_string(world.folder(&imported).join(name)).unwrap();
        assert!(!text.contains(SECRET) && !text.contains(SECRET.trim_start_matches("ghp_")), "{name}");
    }
    assert!(!imported.report.contains(SECRET) && imported.report.contains("redacted"));
    assert!(imported.capture.redaction.counts.values().sum::<u64>() >= 40);
}

#[test]
fn a_cut_file_gives_what_is_whole_and_asks_for_review() {
    let world = world();
    let text = har(50, "a.test");
    let cut = world.file("cut.har", &text.as_bytes()[..text.len() - 100]);
    let imported = world.import(&[cut], "a.test", 0).unwrap();
    assert_eq!((imported.exit, imported.capture.kept(), imported.capture.lost()), (Exit::Review, 49, 1));
    assert!(imported.report.contains("lost 1 of cut.har") && imported.report.contains("ends after 49"));

    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    packed.write_all(text.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let cut = world.file("cut.har.gz", &packed[..packed.len() / 2]);
    let imported = world.import(&[cut], "a.test", 0).unwrap();
    assert!(imported.exit == Exit::Review && imported.report.contains("gzip data"), "{}", imported.report);

    let junk = world.file("junk.har", text.replacen("}},{", "}} oops {", 1));
    let imported = world.import(&[junk], "a.test", 0).unwrap();
    assert!(imported.exit == Exit::Review && imported.report.contains("found `o`"), "{}", imported.report);
}

#[test]
fn without_hosts_it_lists_and_suggests_and_writes_nothing() {
    let world = world();
    let entries = [entry(1, "api.shop.test"), entry(2, "api.segment.io"), entry(3, "api.segment.io")];
    let file = world.file("a.har", json!({"log": {"entries": entries}}).to_string());
    let error = world.import(std::slice::from_ref(&file), "", 0).unwrap_err();
    assert!(error.message.contains("api.segment.io") && error.message.contains("2 requests"), "{error}");
    assert_eq!(error.hint.unwrap(), format!("cask capture import {} -a api.shop.test", file.display()));
    assert!(!world.ctx.root.exists());
}

#[test]
fn nothing_to_keep_is_said_and_not_written() {
    let world = world();
    let file = world.file("a.har", har(2, "a.test"));
    let error = world.import(&[file], "b.test", 0).unwrap_err();
    assert!(error.message.contains("2 host not allowed") && error.message.contains("a.test"), "{error}");
    let files = [world.file("x.har", "<html>"), world.file("y.har", ""), world.file("z.har", "{\"log\":{}}")];
    let error = world.import(&files, "a.test", 0).unwrap_err().message;
    for why in ["x.har: markup", "y.har: the file is empty", "z.har: a HAR without `log.entries`"] {
        assert!(error.contains(why), "{error}");
    }
    let folder = world.import(&[world.dir.path().to_owned()], "a.test", 0).unwrap_err();
    assert!(folder.message.contains("folder"), "{folder}");
    assert!(world.captures().is_empty());
}

#[test]
fn a_capture_is_read_back_only_if_it_is_what_was_imported() {
    let world = world();
    let file = world.file("a.har", har(300, "a.test"));
    let imported = world.import(std::slice::from_ref(&file), "a.test", 0).unwrap();
    let (root, id) = (&world.ctx.root, imported.capture_id.as_str());
    let loaded = load(root, id, &world.ctx).unwrap();
    assert_eq!(loaded.capture, imported.capture);
    assert_eq!(loaded.summary.endpoints(&[]), imported.summary.endpoints(&[]));
    let mut paths = Vec::new();
    exchanges(root, id, &mut |exchange| paths.push(exchange.get().path.clone())).unwrap();
    assert!(paths.len() == 300 && paths[299] == "/v1/things/299");

    for bad in ["cap_../../etc", "cap_000000000000", ""] {
        assert!(load(root, bad, &world.ctx).is_err());
    }
    let path = world.folder(&imported).join("exchanges.jsonl");
    let lines = fs::read_to_string(&path).unwrap();
    fs::write(&path, lines.replacen("/v1/things/7\"", "/v1/things/8\"", 1)).unwrap();
    let error = load(root, id, &world.ctx).unwrap_err();
    assert!(error.message.contains("not what was imported"), "{error}");
    fs::write(&path, lines.replacen("\"seq\":5", "\"seq\":", 1)).unwrap();
    assert!(load(root, id, &world.ctx).unwrap_err().message.contains("line 6"));
    // Importing again puts it right, and sweeps up after an import that was killed.
    let left = root.join(".importing-dead");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("exchanges.jsonl"), "half a li").unwrap();
    world.import(&[file], "a.test", 0).unwrap();
    load(root, id, &world.ctx).unwrap();
    assert!(!left.exists());
}

#[test]
fn a_capture_does_not_take_the_place_of_another_of_the_same_id() {
    let dir = tempfile::tempdir().unwrap();
    let there = dir.path().join("exchanges.jsonl");
    let refused = |now: &[u8]| {
        let mut id = CaptureId::default();
        id.update(now);
        disk::not_another(dir.path(), &id).err().map(|error| error.message)
    };
    assert_eq!(refused(b"21707800\n"), None, "nothing is there");
    // Both are `cap_474cb2ce8124`: of the first 60 million numbers, eight pairs agree.
    fs::write(&there, "52998702\n").unwrap();
    assert!(refused(b"21707800\n").unwrap().contains("another capture of the same id"));
    assert_eq!(refused(b"52998702\n"), None, "the same");
    fs::write(&there, "52998702").unwrap();
    assert_eq!(refused(b"21707800\n"), None, "what is there is damaged: it has another id");
}

#[test]
fn a_record_that_is_wrong_is_made_right_by_importing_again() {
    let world = world();
    let file = world.file("a.har", har(3, "a.test"));
    let imported = world.import(std::slice::from_ref(&file), "a.test", 1).unwrap();
    let (root, id, record) =
        (&world.ctx.root, &imported.capture_id, world.folder(&imported).join("capture.json"));
    let text = fs::read_to_string(&record).unwrap();
    let mine = &imported.capture.digest;
    let other = text.replace(mine, &format!("blake3:{}", "0".repeat(64)));
    fs::write(&record, &other).unwrap();
    assert!(load(root, id, &world.ctx).unwrap_err().message.contains("not what was imported"));

    // The last but one is from before digests were kept.
    for wrong in [other, text.replace(mine, ""), "{".to_owned()] {
        fs::write(&record, wrong).unwrap();
        world.import(std::slice::from_ref(&file), "a.test", 1).unwrap();
        assert_eq!(fs::read_to_string(&record).unwrap(), text);
        load(root, id, &world.ctx).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_linked_folder_of_captures_is_neither_written_nor_read() {
    use std::os::unix::fs::symlink;
    let world = world();
    let file = world.file("a.har", har(3, "api.test"));
    let imported = world.import(std::slice::from_ref(&file), "api.test", 1).unwrap();
    let id = imported.capture.id.clone();
    let (captures, elsewhere) = (world.ctx.root.join("captures"), world.dir.path().join("elsewhere"));
    for linked in [world.folder(&imported), captures] {
        fs::rename(&linked, &elsewhere).unwrap();
        symlink(&elsewhere, &linked).unwrap();
        for error in [
            load(&world.ctx.root, &id, &world.ctx).unwrap_err(),
            world.import(std::slice::from_ref(&file), "api.test", 1).unwrap_err(),
        ] {
            assert!(error.message.contains("is a symbolic link"), "{}", error.message);
        }
        fs::remove_file(&linked).unwrap();
        fs::rename(&elsewhere, &linked).unwrap();
    }
    world.import(&[file], "api.test", 1).unwrap();
}
