//! The header is what the code declares.

use std::path::Path;

#[test]
fn the_header_is_what_the_code_declares() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(folder.join("cbindgen.toml")).expect("the settings can be read");
    let mut header = Vec::new();
    let bindings = cbindgen::Builder::new().with_config(config);
    let sources = ["types.rs", "connect.rs", "play.rs"].map(|name| folder.join("src").join(name));
    let bindings = sources.iter().fold(bindings, |bindings, source| bindings.with_src(source));
    bindings.generate().expect("the code can be read").write(&mut header);
    let header = String::from_utf8(header).expect("it is text");
    let file = folder.join("../include/throng.h");
    if std::env::var_os("THRONG_UPDATE_DOCS").is_some() {
        std::fs::write(&file, &header).expect("the header can be written");
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        committed == header,
        "client/include/throng.h is out of date: run THRONG_UPDATE_DOCS=1 cargo test -p throng-client-c --test header"
    );
}
