//! What it costs to look at a picture, in one thread.

use std::io;

use mjpegd_jpeg_codec::{DcReader, bare};
use mjpegd_motion_detector::{Detector, Grid, Polygon, Settings};
use rustix::time::{ClockId, clock_gettime};

use crate::clips::jpeg;
use crate::results::Results;
use crate::scene::{Canvas, Scene, Thing};

const N_ROUNDS: usize = 40;
const N_PICTURES: usize = 8;

/// The CPU time of this thread, in milliseconds.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// The time a picture of a job, at its best: the machine may be busy.
fn best(times: &[f64]) -> f64 {
    times.iter().copied().fold(f64::INFINITY, f64::min) / N_PICTURES as f64
}

fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2] / N_PICTURES as f64
}

pub(crate) fn main(results: &mut Results) -> io::Result<()> {
    for (size, noise, quality) in [((1920, 1080), 3.0, 80), ((640, 480), 3.0, 80)] {
        let mut scene = Scene::new(8, Canvas { width: size.0, height: size.1, sigma: noise });
        let mut jpegs = Vec::new();
        for n in 0..N_PICTURES {
            let person = Thing { x: n as f32, y: 12.0, width: 3.0, height: 8.0, brightness: 20.0 };
            scene.draw(&[person], |_, _, b| b);
            jpegs.push(jpeg(&scene, quality)?);
        }
        measure(size, &jpegs, results)?;
    }
    Ok(())
}

fn measure(
    (width, height): (usize, usize),
    jpegs: &[Vec<u8>],
    results: &mut Results,
) -> io::Result<()> {
    let corner = Polygon(vec![(0.0, 0.0), (0.2, 0.0), (0.0, 0.2)]);
    let settings =
        Settings { sensitivity: 50, min_size: 0.001, zones: Vec::new(), masks: vec![corner] };
    let (mut walk, mut reader) = (bare::Walk::default(), DcReader::new());
    let (mut grid, mut detector) = (Grid::default(), Detector::new(settings));
    let mut times = [const { Vec::new() }; 4];
    let (mut n, mut dc) = (0, Vec::new());
    for _ in 0..N_ROUNDS {
        let start = cpu();
        n += jpegs.iter().filter_map(|jpeg| bare::walk(jpeg, &mut walk)).sum::<usize>();
        times[0].push(cpu() - start);
        let start = cpu();
        n += jpegs.iter().filter_map(|jpeg| Some(reader.read(jpeg).ok()?.width)).sum::<usize>();
        times[1].push(cpu() - start);
        for jpeg in jpegs {
            let picture = reader.read(jpeg).map_err(io::Error::other)?;
            dc.clear();
            dc.extend_from_slice(picture.values);
            let size = (picture.width, picture.height);
            let start = cpu();
            grid.average(size, &dc);
            let middle = cpu();
            n += usize::from(detector.look(&grid).is_some());
            times[2].push((middle - start) * N_PICTURES as f64);
            times[3].push((cpu() - middle) * N_PICTURES as f64);
        }
    }
    let bytes = jpegs.iter().map(Vec::len).sum::<usize>() / jpegs.len();
    println!("{width}x{height}, {} kB, CPU of a picture, best / median ({n}):", bytes / 1000);
    for (name, times) in
        ["a bare Huffman walk", "DC coefficients", "the grid", "detection"].iter().zip(&times)
    {
        println!("{name:20} {:.3} / {:.3} ms", best(times), median(times));
        results.add(format!("{width}x{height}: {name}"), format!("{:.2}", best(times)));
    }
    let ratio = format!("{:.2}", best(&times[1]) / best(&times[0]));
    println!("DC beside the walk   {ratio} x");
    results.add(format!("{width}x{height}: DC beside the walk"), ratio);
    results.add(format!("{width}x{height}: kB"), (bytes / 1000).to_string());
    Ok(())
}
