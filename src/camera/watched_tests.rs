use super::*;

const A: &[u8] = include_bytes!("demo/1.jpg");
const B: &[u8] = include_bytes!("demo/2.jpg");
const MAX: usize = 1 << 20;

fn dir(name: &str) -> PathBuf {
    let name = format!("mjpegd-watched-{}-{name}", std::process::id());
    let dir = std::env::temp_dir().join(name);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// The next picture that comes; an error but [`Error::NotYet`] ends the wait.
fn next(watched: &mut Watched) -> Result<Vec<u8>, Error> {
    let (_trigger, stop) = crate::shutdown::channel();
    loop {
        let mut frame = FrameBuf::new();
        match watched.next_frame(&mut frame, &stop) {
            Ok(_) => return Ok(frame.jpeg().to_vec()),
            Err(Error::NotYet) => {}
            Err(e) => return Err(e),
        }
    }
}

/// Asks as often as there are files, and once more.
fn is_silent(watched: &mut Watched) -> bool {
    let (_trigger, stop) = crate::shutdown::channel();
    let n = watched.waiting.len() + 1;
    (0..n).all(|_| watched.next_frame(&mut FrameBuf::new(), &stop) == Err(Error::NotYet))
}

#[test]
fn newest_file_is_first_and_then_each_that_is_closed_or_moved_there() {
    let dir = dir("new");
    fs::write(dir.join("b.jpg"), A).unwrap();
    let old = fs::File::open(dir.join("b.jpg")).unwrap();
    old.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    fs::write(dir.join("a.jpg"), B).unwrap();
    let mut watched = Watched::open(&dir, false, MAX).unwrap();
    assert_eq!(next(&mut watched), Ok(B.to_vec()));
    assert!(is_silent(&mut watched));
    fs::write(dir.join("c.jpg"), A).unwrap();
    assert_eq!(next(&mut watched), Ok(A.to_vec()));
    // Only half of it is written: not yet.
    let mut half = fs::File::create(dir.join("d.jpg")).unwrap();
    std::io::Write::write_all(&mut half, &B[..100]).unwrap();
    assert!(is_silent(&mut watched));
    std::io::Write::write_all(&mut half, &B[100..]).unwrap();
    drop(half);
    assert_eq!(next(&mut watched), Ok(B.to_vec()));
    // The usual way of a program that wants no half files to be seen.
    fs::write(dir.join("e.tmp"), A).unwrap();
    assert!(is_silent(&mut watched));
    fs::rename(dir.join("e.tmp"), dir.join("e.jpg")).unwrap();
    assert_eq!(next(&mut watched), Ok(A.to_vec()));
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 5, "nothing is removed");
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn files_that_are_removed_are_a_queue() {
    let dir = dir("queue");
    for (name, jpeg, s) in [("1.jpg", B, 20), ("2.jpg", A, 10)] {
        fs::write(dir.join(name), jpeg).unwrap();
        let file = fs::File::open(dir.join(name)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(s)).unwrap();
    }
    fs::write(dir.join("other.txt"), "x").unwrap();
    let mut watched = Watched::open(&dir, true, MAX).unwrap();
    assert_eq!(next(&mut watched), Ok(A.to_vec()));
    assert!(!dir.join("2.jpg").exists() && dir.join("1.jpg").exists());
    assert_eq!(next(&mut watched), Ok(B.to_vec()));
    fs::write(dir.join("3.jpg"), "no picture").unwrap();
    assert!(matches!(next(&mut watched), Err(Error::BadFrame(_))));
    let left: Vec<_> = fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["other.txt"]);
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn folder_that_goes_is_a_lost_camera() {
    let dir = dir("gone");
    assert_eq!(check(&dir), Ok(()));
    let mut watched = Watched::open(&dir, false, MAX).unwrap();
    fs::remove_dir_all(&dir).unwrap();
    let is_gone = |e| matches!(e, Error::Lost(Cause::NoDevice, _));
    assert!(is_gone(next(&mut watched).unwrap_err()));
    assert!(is_gone(check(&dir).unwrap_err()));
    assert!(Watched::open(&dir, false, MAX).is_err_and(is_gone));
}

#[test]
fn time_of_a_picture_is_that_of_its_file() {
    let hour = std::time::Duration::from_secs(3600);
    let now = SystemTime::now();
    assert_eq!(timestamp(now - hour).wall, now - hour);
    assert!(timestamp(now + hour).wall < now + hour, "never in the future");
}
