//! Command lines from published scripts and units, with neutral paths, and what
//! they are as command lines of this program.

/// A command line as a script has it, and the same in this program's words.
pub(super) const LINES: &[(&str, &str)] = &[
    // Defaults.
    ("ustreamer", "v4l2:/dev/video0 --resolution 640x480 --bind 127.0.0.1:8080"),
    ("mjpg_streamer", "v4l2:/dev/video0 --fps 5 --resolution 640x480 --bind :8080"),
    // crowsnest.
    (
        "ustreamer --host 127.0.0.1 --port 8080 --resolution 640x480 --desired-fps 15 \
         --allow-origin * --static resources/ustreamer-www \
         --device /dev/v4l/by-id/usb-cam-video-index0 --device-timeout 2",
        "v4l2:/dev/v4l/by-id/usb-cam-video-index0 --fps 15 --resolution 640x480 \
         --stall-timeout 2s --bind 127.0.0.1:8080 --allow-origin '*'",
    ),
    (
        "/home/user/crowsnest/bin/ustreamer/ustreamer.bin --host 127.0.0.1 --port 8081 \
         --resolution 1280x720 --desired-fps 30 --allow-origin * --static resources/ustreamer-www \
         --device /dev/video2 --device-timeout 2 --format MJPEG --encoder HW",
        "v4l2:/dev/video2 --fps 30 --resolution 1280x720 --format MJPEG --encoder auto \
         --stall-timeout 2s --bind 127.0.0.1:8081 --allow-origin '*'",
    ),
    // Units for printers, on boards of several makers.
    (
        "/opt/ustreamer/ustreamer --device /dev/video0 --host=0.0.0.0 --port=8001 \
         --device-timeout 8 --device-error-delay 8 --buffers=3 --workers=3 --drop-same-frame=30 \
         --format=YUYV -r 640x480 -f 0",
        "v4l2:/dev/video0 --resolution 640x480 --format YUYV --stall-timeout 8s \
         --drop-same-frames 30 --bind 0.0.0.0:8001",
    ),
    // HDMI and analogue capture.
    (
        "ustreamer --device=/dev/kvmd-video --persistent --dv-timings --format=uyvy --workers=3",
        "v4l2:/dev/kvmd-video --format UYVY --dv-timings=true --bind 127.0.0.1:8080",
    ),
    (
        "ustreamer -d /dev/video1 -i 1 -a pal -r 720x576",
        "v4l2:/dev/video1 --resolution 720x576 --input 1 --tv-standard PAL --bind 127.0.0.1:8080",
    ),
    (
        "mjpg_streamer -i 'input_uvc.so -d /dev/video1 -dv_timings' -o output_http.so",
        "v4l2:/dev/video1 --dv-timings=true --bind :8080",
    ),
    ("ustreamer -f 15 -s 0", "v4l2:/dev/video0 --fps 15 --resolution 640x480 --bind 0.0.0.0:8080"),
    (
        "ustreamer -r 1920x1080 -s :: -p 8080",
        "v4l2:/dev/video0 --resolution 1920x1080 --bind '[::]:8080'",
    ),
    (
        "ustreamer --device=/dev/video0 --slowdown -e 30 -K 0 -r 1920x1080 -m MJPEG \
         --host 0.0.0.0 --port 8888 --device-timeout 2 --device-error-delay 1",
        "v4l2:/dev/video0 --resolution 1920x1080 --format MJPEG --stall-timeout 2s \
         --drop-same-frames 30 --bind 0.0.0.0:8888",
    ),
    (
        "ustreamer --device /dev/video0 --format=JPEG --encoder=HW --workers=3 --desired-fps=15 \
         --quality 60 --flip-vertical 1 --flip-horizontal 1 --host=0.0.0.0 --port=12345",
        "v4l2:/dev/video0 --fps 15 --resolution 640x480 --format JPEG --quality 60 \
         --encoder auto --control vertical_flip=1 --control horizontal_flip=1 --bind 0.0.0.0:12345",
    ),
    // Robots, classes, containers.
    (
        "ustreamer --device=/dev/video0 -r 1080x720 --flip-vertical=1 --host=192.0.2.7 --port=8080",
        "v4l2:/dev/video0 --resolution 1080x720 --control vertical_flip=1 --bind 192.0.2.7:8080",
    ),
    (
        "ustreamer --device=/dev/video0 --host=0.0.0.0 --port=80",
        "v4l2:/dev/video0 --resolution 640x480 --bind 0.0.0.0:80",
    ),
    (
        "ustreamer --host=0.0.0.0 --port=8080 -r 640x480 -f 30",
        "v4l2:/dev/video0 --fps 30 --resolution 640x480 --bind 0.0.0.0:8080",
    ),
    (
        "ustreamer --host :: -m jpeg --device-timeout=5 --buffers=3 -r 2592x1944",
        "v4l2:/dev/video0 --resolution 2592x1944 --format JPEG --stall-timeout 5s \
         --bind '[::]:8080'",
    ),
    (
        "ustreamer --host :: --encoder=m2m-image",
        "v4l2:/dev/video0 --resolution 640x480 --encoder auto --bind '[::]:8080'",
    ),
    (
        "ustreamer --device=/dev/video1 --host=0.0.0.0 --port=8082 --resolution=1280x720 \
         --desired-fps=10 --format=MJPEG --drop-same-frames=30 --slowdown --device-timeout=2 \
         --device-error-delay=3",
        "v4l2:/dev/video1 --fps 10 --resolution 1280x720 --format MJPEG --stall-timeout 2s \
         --drop-same-frames 30 --bind 0.0.0.0:8082",
    ),
    // Supervisors.
    (
        "ustreamer --exit-on-parent-death --notify-parent --no-log-colors \
         --process-name-prefix name --exit-on-no-clients 30 --exit-on-device-error \
         --user admin --passwd SECRET --server-timeout 20 --tcp-nodelay",
        "v4l2:/dev/video0 --resolution 640x480 --bind 127.0.0.1:8080 --write-timeout 20s \
         --head-timeout 20s --exit-on-device-error=true --exit-on-no-viewers 30s --auth-file FILE",
    ),
    // Spellings that getopt takes.
    (
        "ustreamer -nlr320x240 -z 0x400 -Tq60 --log-level 3 word -- --nonsense",
        "v4l2:/dev/video0 --resolution 320x240 --quality 60 --min-frame-size 1024 \
         --allow-truncated=true --bind 127.0.0.1:8080",
    ),
    (
        "mjpegd ustreamer --white-balance 4000 --gain auto --contrast default -m RGB24 \
         --format-swap-rgb --allow-origin printer",
        "v4l2:/dev/video0 --resolution 640x480 --format BGR24 --control gain_automatic=1 \
         --control contrast=default --control white_balance_automatic=0 \
         --control white_balance_temperature=4000 --bind 127.0.0.1:8080",
    ),
    // OctoPi's webcamd.
    (
        "./mjpg_streamer -o 'output_http.so -w ./www-octopi -n --listen 127.0.0.1' \
         -i 'input_uvc.so -r 640x480 -f 10 -d /dev/video0'",
        "v4l2:/dev/video0 --fps 10 --resolution 640x480 --bind 127.0.0.1:8080",
    ),
    (
        "./mjpg_streamer -o 'output_http.so -w ./www-octopi -n --listen 127.0.0.1' \
         -i 'input_raspicam.so -fps 10'",
        "'exec:rpicam-vid -t 0 -n --codec mjpeg --width 640 --height 480 --framerate 10 \
         --quality 85 -o -' --bind 127.0.0.1:8080",
    ),
    // Robots, classes, init scripts, Flask apps.
    (
        "mjpg_streamer -i '/usr/local/lib/mjpg-streamer/input_uvc.so -d /dev/video0 -n' \
         -o '/usr/local/lib/mjpg-streamer/output_http.so -w /nowhere/www -p 8090'",
        "v4l2:/dev/video0 --resolution 640x480 --bind :8090",
    ),
    (
        "mjpg_streamer -i './input_uvc.so -y YUV' -o './output_http.so -w /nowhere/www'",
        "v4l2:/dev/video0 --resolution 640x480 --format YUYV --bind :8080",
    ),
    (
        "mjpg_streamer -i 'input_uvc.so -hf true -vf true  -d /dev/video1 ' \
         -o 'output_http.so -p 8085 -w /nowhere/stream.html'",
        "v4l2:/dev/video1 --resolution 640x480 --control horizontal_flip=1 \
         --control vertical_flip=1 --bind :8085",
    ),
    (
        "mjpg_streamer -i 'input_uvc.so -d /dev/video0 -r 320x240 -f 15 -n -y' \
         -o 'output_http.so -w /nowhere/www -p 5001'",
        "v4l2:/dev/video0 --fps 15 --resolution 320x240 --format YUYV --bind :5001",
    ),
    (
        "mjpg_streamer -b -i 'input_uvc.so -r 640*480 -d /dev/video0  -f 10' \
         -o 'output_http.so -n -p 46666'",
        "v4l2:/dev/video0 --fps 10 --resolution 640x480 --bind :46666",
    ),
    (
        "mjpg_streamer -b -i 'input_uvc.so -d /dev/video0 -f 30 -r 320x240' \
         -o 'output_http.so -p 8080 -w /nowhere/html -n -c user:SECRET'",
        "v4l2:/dev/video0 --fps 30 --resolution 320x240 --bind :8080 --auth-file FILE",
    ),
    (
        "mjpg_streamer --input 'input_uvc.so --device /dev/video0 --fps 5 --resolution 640x480' \
         --output 'output_http.so --www /nowhere/www --port 8080'",
        "v4l2:/dev/video0 --fps 5 --resolution 640x480 --bind :8080",
    ),
    (
        "mjpg_streamer -i 'input_uvc.so -n -r VGA -d /dev/video0 -q 60 -pl 60hz --every_frame 2' \
         -o 'output_http.so -p 8080'",
        "v4l2:/dev/video0 --resolution 640x480 --quality 60 --control power_line_frequency=2 \
         --every 2 --bind :8080",
    ),
    (
        "mjpg_streamer -i 'input_uvc.so -ex 200 -wb 4000 -br -10 -gain auto -timeout 10 \
         -softfps 5 -fourcc RGBP -m 2000 -l off' -o output_http",
        "v4l2:/dev/video0 --fps 5 --resolution 640x480 --format RGBP \
         --control brightness=-10 --control gain_automatic=1 --control auto_exposure=1 \
         --control exposure_time_absolute=200 --control white_balance_automatic=0 \
         --control white_balance_temperature=4000 --stall-timeout 10s --min-frame-size 2000 \
         --bind :8080",
    ),
    // The camera of a Raspberry Pi.
    (
        "mjpg_streamer -o 'output_http.so -p 9000 -c user:SECRET' -i 'input_raspicam.so -q 30 \
         -x 640 -y 360 -fps 8 -ex night -br 55 -sh 50 -ev 10'",
        "'exec:rpicam-vid -t 0 -n --codec mjpeg --width 640 --height 360 --framerate 8 \
         --quality 30 --sharpness 1.5 --brightness 0.1 --ev 1.667 --exposure long -o -' \
         --bind :9000 --auth-file FILE",
    ),
    (
        "./mjpg_streamer -i './input_raspicam.so -fps 15 -q 50 -x 640 -y 480' \
         -o './output_http.so -p 9000 -w /nowhere/www' /bin/bash",
        "'exec:rpicam-vid -t 0 -n --codec mjpeg --width 640 --height 480 --framerate 15 \
         --quality 50 -o -' --bind :9000",
    ),
    (
        "mjpg_streamer -o 'output_http.so' -i 'input_raspicam.so -x 1280 -y 720 -fps 10 -sh 0 \
         -co 0 -br 50 -sa 0 -vf -hf -rot 180 -awb sun'",
        "'exec:rpicam-vid -t 0 -n --codec mjpeg --width 1280 --height 720 --framerate 10 \
         --quality 85 --sharpness 1 --contrast 1 --brightness 0 --saturation 1 --awb daylight \
         --hflip --vflip --rotation 180 -o -' --bind :8080",
    ),
    // Files, other servers, and recordings.
    (
        "mjpg_streamer -i 'input_file.so -e -f /srv/pictures -d 2' -o 'output_http.so -p 8080'",
        "images:/srv/pictures --fps 0.5 --bind :8080",
    ),
    (
        "mjpg_streamer -i 'input_file.so -f /tmp/stream -n pic.jpg' \
         -o 'output_http.so -w /nowhere/www'",
        "images:/tmp/stream --watch=true --bind :8080",
    ),
    (
        "mjpg_streamer -b -i 'input_file.so -r -f /tmp/stream' -o output_http.so",
        "images:/tmp/stream --watch=true --remove-shown=true --bind :8080",
    ),
    // Several ports, and a socket behind a proxy.
    (
        "mjpg_streamer -i 'input_uvc.so -r VGA' -o 'output_http.so -p 8080 -c user:SECRET' \
         -o 'output_http.so -p 8081 -l 127.0.0.1'",
        "v4l2:/dev/video0 --resolution 640x480 --bind :8080 --bind 127.0.0.1:8081 \
         --auth-file FILE",
    ),
    (
        "ustreamer --device=/dev/video0 --persistent --format=uyvy --encoder=cpu --workers=3 \
         --quality=80 --desired-fps=30 --drop-same-frames=30 --last-as-blank=0 \
         --unix=/run/name/ustreamer.sock --unix-rm --unix-mode=0660 --exit-on-parent-death \
         --process-name-prefix=name --notify-parent --no-log-colors",
        "v4l2:/dev/video0 --fps 30 --resolution 640x480 --format UYVY --quality 80 \
         --encoder software --drop-same-frames 30 --bind unix:/run/name/ustreamer.sock --unix-mode 0660",
    ),
    (
        "mjpg_streamer -i 'input_http.so -p 4081' -o 'output_http.so -l 0.0.0.0 -p 8090'",
        "'http://localhost:4081/?action=stream' --bind 0.0.0.0:8090",
    ),
    (
        "mjpg_streamer -i 'input_http.so -H camera.local -p 8081 -u /img' -o output_http.so",
        "http://camera.local:8081/img --bind :8080",
    ),
    (
        "mjpg_streamer -o 'output_http.so -c user:SECRET -p 8090' \
         -o 'output_file.so -f /srv/pictures -d 500 -s 8' -i 'input_uvc.so -fps 10 -r 300x300 -y'",
        "v4l2:/dev/video0 --fps 10 --resolution 300x300 --format YUYV --record /srv/pictures \
         --record-fps 2 --bind :8090 --auth-file FILE",
    ),
    (
        "mjpg_streamer -i 'input_testpicture.so -r QVGA -d 500' -o output_http.so",
        "pattern:320x240@2 --bind :8080",
    ),
];

/// Command lines that cannot be had, and what is said of them.
pub(super) const REFUSED: &[(&str, &str)] = &[
    ("ustreamer --host :: -e m2m-image", "-e m2m-image is wrong: use a number from 0 to 120"),
    ("ustreamer --jpeg-sink=kvmd::ustreamer::jpeg", "--jpeg-sink: mjpegd shares no memory"),
    ("ustreamer --h264-bitrate 5000", "--h264-bitrate: mjpegd serves JPEGs only"),
    ("ustreamer --gpio-prog-running 5", "let a script ask /status"),
    ("ustreamer --host=", "--host: the address is empty"),
    ("ustreamer --prot 8080", "there is no --prot; did you mean --port?"),
    ("ustreamer --bind 0.0.0.0:80", "--bind is an option of mjpegd itself"),
    ("mjpg_streamer -i 'input_uvc.so -x 640'", "input_uvc: there is no -x (mjpegd"),
    ("ustreamer --nonsense", "mjpegd ustreamer --help lists the options"),
    ("mjpg_streamer -i 'input_memfd.so -t 0'", "there are: input_uvc,"),
    ("mjpg_streamer -i output_http.so", "there is no plugin \"output_http.so\""),
    ("mjpg_streamer -o 'output_file.so -f /tmp -c ./x.sh'", "call mjpegd grab"),
    ("mjpg_streamer -o output_rtsp.so", "output_rtsp: mjpegd serves HTTP only"),
    ("mjpg_streamer -i 'input_uvc.so -r big'", "input_uvc: -resolution big is wrong: use"),
    ("mjpg_streamer -o 'output_http.so -c SECRET'", "-c: use USER:PASSWORD"),
    ("mjpg_streamer -i 'input_file.so -e'", "name the folder with -f DIR"),
];
