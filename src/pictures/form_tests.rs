use super::*;

const A: &[u8] = include_bytes!("../camera/demo/1.jpg");
const B: &[u8] = include_bytes!("../camera/demo/2.jpg");

/// The pictures in a body that comes in pieces of this size.
fn pictures(content_type: Option<&str>, bytes: &[u8], size: usize) -> Vec<Vec<u8>> {
    let (mut body, mut found) = (Form::new(content_type, 1 << 20), Vec::new());
    let mut picture = FrameBuf::new();
    let mut pieces = bytes.chunks(size);
    let mut rest: &[u8] = &[];
    let mut is_over = false;
    loop {
        let next = if is_over && rest.is_empty() {
            body.finish(&mut picture).unwrap()
        } else {
            body.feed(&mut rest, &mut picture).unwrap()
        };
        match next {
            Next::Picture(_) => {
                found.push(picture.jpeg().to_vec());
                picture.truncate(0);
            }
            Next::More => match pieces.next() {
                Some(piece) => rest = piece,
                None => is_over = true,
            },
            other @ (Next::Bad(_) | Next::Cut) => panic!("{other:?}"),
            Next::End => return found,
        }
    }
}

#[test]
fn every_form_is_known_by_its_type_or_its_first_bytes() {
    let part = |jpeg: &[u8]| [b"--b\r\nContent-Type: image/jpeg\r\n\r\n", jpeg, b"\r\n"].concat();
    let parts = [part(A), part(B)].concat();
    let raw = "application/octet-stream";
    for size in [1, 2, 3, 5, 1000, 1 << 20] {
        let multipart = Some("multipart/x-mixed-replace;boundary=b");
        assert_eq!(pictures(multipart, &parts, size), [A, B]);
        assert_eq!(pictures(Some(raw), &parts, size), [A, B], "pieces of {size}");
        let after_line = [b"\r\n", &*parts].concat();
        assert_eq!(pictures(Some(raw), &after_line, size), [A, B], "pieces of {size}");
        assert_eq!(pictures(Some(raw), &[A, B, A].concat(), size), [A, B, A]);
        assert_eq!(pictures(None, &[A, B].concat(), size), [A, B]);
        assert_eq!(pictures(Some("Image/JPEG; x=y"), A, size), [A]);
    }
}

#[test]
fn bytes_decide_where_the_type_does_not_fit() {
    let part = |jpeg: &[u8]| {
        let head = format!("--b\r\nContent-Type: image/jpeg\r\nContent-Length: {}", jpeg.len());
        [head.as_bytes(), b"\r\n\r\n", jpeg, b"\r\n"].concat()
    };
    let parts = [part(A), part(B)].concat();
    let jpegs = [A, B].concat();
    for content_type in [
        None,
        Some(""),
        Some("text/plain"),
        Some("text/html; charset=utf-8"),
        Some("x-mixed-replace;boundary=b"),
        Some("multipart/x-mixed-replace"),
        Some("multipart/mixed; boundary=other"),
        Some("image/jpeg"),
        Some("image/jpg; boundary=B"),
        Some("application/json"),
        Some("video/mp4"),
        Some("nonsense"),
    ] {
        for size in [1, 7, 1 << 20] {
            assert_eq!(pictures(content_type, &parts, size), [A, B], "{content_type:?}");
            assert_eq!(pictures(content_type, &jpegs, size), [A, B], "{content_type:?}");
            let blank = [b"\r\n\r\n \n", &*parts].concat();
            assert_eq!(pictures(content_type, &blank, size), [A, B], "{content_type:?}");
            let headless = &parts[b"--b\r\n".len()..];
            assert_eq!(pictures(content_type, headless, size), [A, B], "{content_type:?}");
        }
    }
}

#[test]
fn parts_of_any_type_are_pictures_if_their_bytes_are() {
    for name in [
        "Content-Type: application/octet-stream\r\n",
        "Content-Type: text/plain\r\n",
        "Content-Type: video/jpeg\r\n",
        "Content-Type: image/png\r\n",
        "Content-Type:\r\n",
        "",
    ] {
        let part = |jpeg: &[u8]| {
            let head = format!("--b\r\n{name}Content-Length: {}\r\n\r\n", jpeg.len());
            [head.as_bytes(), jpeg, b"\r\n"].concat()
        };
        let text = b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n";
        let stream = [text, &*part(A), text, text, text, text, &part(B)].concat();
        assert_eq!(pictures(Some("multipart/mixed; boundary=b"), &stream, 100), [A, B], "{name}");
    }
}

#[test]
fn body_without_pictures_is_refused_with_its_type() {
    let refused = |name, bytes: &[u8]| {
        let mut body = Form::new(name, 1000);
        let fed = body.feed(&mut &*bytes, &mut FrameBuf::new());
        fed.and_then(|_| body.finish(&mut FrameBuf::new())).unwrap_err()
    };
    let page = b"<!DOCTYPE html><html>";
    let fault = refused(Some("text/HTML; charset=x"), page);
    assert!(fault.contains("answered with text/html, and"), "{fault}");
    assert!(fault.contains("use the address of an MJPEG stream"), "{fault}");
    assert!(refused(Some("text/html"), b"<p>").contains("with text/html"));
    assert!(refused(None, b"GIF89a....").contains("without a Content-Type, and"));
    assert!(refused(Some("image/jpeg"), b"\x89PNG\r\n\x1a\n").contains("with image/jpeg"));
    assert!(refused(Some("video/mp4"), &[b' '; 5000]).contains("neither parts nor JPEGs"));
    let part = "--b\r\nContent-Type: video/x-h264\r\nContent-Length: 9\r\n\r\n\0\0\0\x01abcde\r\n";
    let fault = refused(Some("multipart/x-mixed-replace; boundary=b"), part.repeat(4).as_bytes());
    assert!(fault.starts_with("the parts of the stream are video/x-h264 and not JPEGs"), "{fault}");
    let mut empty = Form::new(Some("image/jpeg"), 1000);
    assert_eq!(empty.finish(&mut FrameBuf::new()), Ok(Next::End));
}

#[test]
fn lone_picture_is_whole_with_its_last_byte_and_bounded() {
    let (mut lone, mut picture) = (Form::new(Some("image/jpeg"), 1 << 20), FrameBuf::new());
    assert_eq!(lone.feed(&mut &A[..A.len() - 1], &mut picture), Ok(Next::More));
    assert!(!lone.may_be_done() && lone.is_inside(&picture));
    let next = lone.feed(&mut &A[A.len() - 1..], &mut picture);
    assert_eq!(next, Ok(Next::Picture(Part::default())));
    assert!(picture.jpeg() == A && lone.may_be_done());
    let mut small = Form::new(Some("image/jpeg"), 1000);
    let fault = small.feed(&mut &*A, &mut FrameBuf::new()).unwrap_err();
    assert!(fault.contains("a picture of more than 1000 bytes"), "{fault}");
}

#[test]
fn what_came_of_a_picture_that_breaks_off_is_given() {
    let (mut body, mut picture) = (Form::new(None, 1 << 20), FrameBuf::new());
    let cut = &A[..A.len() - 9];
    let mut rest = &[cut, A, cut].concat()[..];
    assert_eq!(body.feed(&mut rest, &mut picture), Ok(Next::Cut));
    assert_eq!(picture.jpeg(), cut);
    picture.truncate(0);
    assert_eq!(body.feed(&mut rest, &mut picture), Ok(Next::Picture(Part::default())));
    picture.truncate(0);
    assert_eq!(body.feed(&mut rest, &mut picture), Ok(Next::More));
    assert_eq!(body.finish(&mut picture), Ok(Next::Cut));
    assert_eq!(picture.jpeg(), cut);
}
