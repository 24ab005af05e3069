//! `/program.json`: the cameras as mjpg-streamer lists its plugins.

use serde_json::{Value, json};

use crate::http::context::Context;
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;

/// The plugins of mjpg-streamer that read the same kind of source. A page may
/// look for the one whose cameras have controls.
const PLUGINS: [(&str, &str); 4] = [
    ("v4l2", "input_uvc.so"),
    ("images:", "input_file.so"),
    ("http:", "input_http.so"),
    ("https:", "input_http.so"),
];

/// Never fails: the signature is that of all endpoints.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    let cameras = context.cameras.all();
    let inputs = cameras
        .iter()
        .enumerate()
        .map(|(n, camera)| input(n, &camera.name, &camera.capture.status().asked.source));
    let program = json!({
        "inputs": inputs.collect::<Vec<_>>(),
        "outputs": [{
            "id": "0",
            "name": "HTTP output plugin",
            "plugin": "output_http.so",
            "args": "",
        }],
    });
    context.send(request, &Reply::json(Code::Ok, &program));
    Ok(())
}

/// A camera by its number. Passwords in its source are hidden already.
fn input(n: usize, name: &str, source: &str) -> Value {
    let plugin = PLUGINS.iter().find(|(start, _)| source.starts_with(start));
    json!({
        "id": n.to_string(),
        "name": name,
        "plugin": plugin.map_or("input_mjpegd.so", |(_, plugin)| plugin),
        "args": source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_is_named_by_the_plugin_that_reads_such() {
        let plugin = |source| input(0, "front", source)["plugin"].clone();
        assert_eq!(plugin("v4l2:/dev/video0"), "input_uvc.so");
        assert_eq!(plugin("v4l2"), "input_uvc.so");
        assert_eq!(plugin("https://camera/video"), "input_http.so");
        assert_eq!(plugin("exec:rpicam-vid"), "input_mjpegd.so");
    }
}
