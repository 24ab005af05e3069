"""A camera server as the tutorials about Flask build it, for gunicorn.

One thread reads the camera for all viewers. Each viewer waits for an event of
its own, and gets the newest picture.
"""
import os
import subprocess
import threading
import time

from flask import Flask, Response

app = Flask(__name__)


class CameraEvent:
    """Wakes all clients when a picture is there, and forgets those that left."""

    def __init__(self):
        self.events = {}

    def wait(self):
        ident = threading.get_ident()
        if ident not in self.events:
            self.events[ident] = [threading.Event(), time.time()]
        return self.events[ident][0].wait()

    def set(self):
        now = time.time()
        remove = None
        for ident, event in list(self.events.items()):
            if not event[0].is_set():
                event[0].set()
                event[1] = now
            elif now - event[1] > 5:
                remove = ident
        if remove:
            del self.events[remove]

    def clear(self):
        self.events[threading.get_ident()][0].clear()


class Camera:
    frame = None
    event = CameraEvent()
    thread = None
    lock = threading.Lock()

    def __init__(self):
        with Camera.lock:
            if Camera.thread is None:
                Camera.thread = threading.Thread(target=self.run, daemon=True)
                Camera.thread.start()
        while self.get_frame() is None:
            time.sleep(0)

    def get_frame(self):
        Camera.event.wait()
        Camera.event.clear()
        return Camera.frame

    @classmethod
    def run(cls):
        n_bytes = int(os.environ["BENCH_BYTES"])
        command = os.environ["BENCH_CAMERA"]
        output = subprocess.Popen(command, shell=True, stdout=subprocess.PIPE).stdout
        while frame := output.read(n_bytes):
            cls.frame = frame
            cls.event.set()
            time.sleep(0)


def gen(camera):
    yield b"--frame\r\n"
    while True:
        frame = camera.get_frame()
        yield b"Content-Type: image/jpeg\r\n\r\n" + frame + b"\r\n--frame\r\n"


@app.route("/video_feed")
def video_feed():
    return Response(gen(Camera()), mimetype="multipart/x-mixed-replace; boundary=frame")
