/* A V4L2 device for one process, where the machine has none: preloaded, it answers the calls
 * for /dev/bench-camera. Its pictures come from a command, which it runs while streaming.
 *
 * BENCH_CAMERA: the command, which writes JPEGs of BENCH_BYTES each to its standard output.
 * API: https://docs.kernel.org/userspace-api/media/v4l/v4l2.html */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/videodev2.h>

#define DEVICE "/dev/bench-camera"
#define MAX_BUFFERS 32

static int device = -1, source = -1, memory = -1;
static pid_t command;
static size_t length, room;
static unsigned count, queue[MAX_BUFFERS], n_queued, sequence;
static char *buffers;

static int fail(int error) {
    errno = error;
    return -1;
}

static int open_any(int folder, const char *path, int flags, mode_t mode) {
    if (!path || strcmp(path, DEVICE) != 0)
        return syscall(SYS_openat, folder, path, flags, mode);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    length = strtoul(getenv("BENCH_BYTES"), NULL, 10);
    room = (length + 4095) / 4096 * 4096;
    device = ends[0];
    source = ends[1];
    return device;
}

static mode_t mode_of(int flags, va_list words) {
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(words, mode_t) : 0;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list words; \
        va_start(words, flags); \
        mode_t mode = mode_of(flags, words); \
        va_end(words); \
        return open_any(AT_FDCWD, path, flags, mode); \
    }
OPEN(open)
OPEN(open64)
int __open_2(const char *path, int flags) { return open_any(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_any(AT_FDCWD, path, flags, 0); }

int access(const char *path, int how) {
    return strcmp(path, DEVICE) == 0 ? 0 : (int)syscall(SYS_faccessat, AT_FDCWD, path, how);
}

static void stop(void) {
    if (command > 0) {
        kill(command, SIGKILL);
        waitpid(command, NULL, 0);
        command = 0;
    }
    n_queued = 0;
}

int close(int fd) {
    if (fd >= 0 && fd == device) {
        stop();
        syscall(SYS_close, source);
        device = -1;
    }
    return syscall(SYS_close, fd);
}

static void *map_any(void *at, size_t n, int rights, int flags, int fd, off_t offset) {
    if (fd >= 0 && fd == device)
        fd = memory;
    return (void *)syscall(SYS_mmap, at, n, rights, flags, fd, offset);
}
void *mmap(void *at, size_t n, int rights, int flags, int fd, off_t offset) {
    return map_any(at, n, rights, flags, fd, offset);
}
void *mmap64(void *at, size_t n, int rights, int flags, int fd, off_t offset) {
    return map_any(at, n, rights, flags, fd, offset);
}

static int start(void) {
    if (command > 0)
        return 0;
    const char *line = getenv("BENCH_CAMERA");
    command = fork();
    if (command != 0)
        return command > 0 ? 0 : -1;
    unsetenv("LD_PRELOAD");
    dup2(source, 1);
    execl("/bin/sh", "sh", "-c", line, (char *)NULL);
    _exit(127);
}

static int take(struct v4l2_buffer *buffer) {
    if (n_queued == 0)
        return fail(EAGAIN);
    unsigned index = queue[0];
    for (size_t got = 0; got < length;) {
        ssize_t n = read(device, buffers + index * room + got, length - got);
        if (n <= 0)
            return fail(EIO);
        got += n;
    }
    memmove(queue, queue + 1, --n_queued * sizeof *queue);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    buffer->index = index;
    buffer->bytesused = length;
    buffer->flags = V4L2_BUF_FLAG_MAPPED | V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    buffer->field = V4L2_FIELD_NONE;
    buffer->timestamp = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
    buffer->sequence = sequence++;
    buffer->memory = V4L2_MEMORY_MMAP;
    buffer->length = room;
    return 0;
}

static void describe(struct v4l2_format *format) {
    format->fmt.pix = (struct v4l2_pix_format){
        .width = 640, .height = 480, .pixelformat = V4L2_PIX_FMT_MJPEG,
        .field = V4L2_FIELD_NONE, .sizeimage = room, .colorspace = V4L2_COLORSPACE_JPEG,
    };
}

static int answer(unsigned long request, void *word) {
    switch (request) {
    case VIDIOC_QUERYCAP: {
        struct v4l2_capability *about = word;
        memset(about, 0, sizeof *about);
        strcpy((char *)about->driver, "bench");
        strcpy((char *)about->card, "bench");
        about->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        about->capabilities = about->device_caps | V4L2_CAP_DEVICE_CAPS;
        return 0;
    }
    case VIDIOC_ENUM_FMT: {
        struct v4l2_fmtdesc *format = word;
        if (format->index > 0)
            return fail(EINVAL);
        format->flags = V4L2_FMT_FLAG_COMPRESSED;
        format->pixelformat = V4L2_PIX_FMT_MJPEG;
        strcpy((char *)format->description, "Motion-JPEG");
        return 0;
    }
    case VIDIOC_ENUMINPUT: {
        struct v4l2_input *input = word;
        if (input->index > 0)
            return fail(EINVAL);
        memset(input, 0, sizeof *input);
        input->type = V4L2_INPUT_TYPE_CAMERA;
        strcpy((char *)input->name, "bench");
        return 0;
    }
    case VIDIOC_G_INPUT:
        *(int *)word = 0;
        return 0;
    case VIDIOC_S_INPUT:
    case VIDIOC_S_PARM:
    case VIDIOC_G_PARM:
        return 0;
    case VIDIOC_S_FMT:
    case VIDIOC_TRY_FMT:
    case VIDIOC_G_FMT:
        describe(word);
        return 0;
    case VIDIOC_REQBUFS: {
        struct v4l2_requestbuffers *wanted = word;
        if (wanted->memory != V4L2_MEMORY_MMAP)
            return fail(EINVAL);
        if (wanted->count > MAX_BUFFERS)
            wanted->count = MAX_BUFFERS;
        count = wanted->count;
        if (count == 0)
            return 0;
        memory = memfd_create("buffers", MFD_CLOEXEC);
        if (memory < 0 || ftruncate(memory, count * room) != 0)
            return -1;
        buffers = map_any(NULL, count * room, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
        return buffers == MAP_FAILED ? -1 : 0;
    }
    case VIDIOC_QUERYBUF: {
        struct v4l2_buffer *buffer = word;
        if (buffer->index >= count)
            return fail(EINVAL);
        buffer->length = room;
        buffer->m.offset = buffer->index * room;
        buffer->flags = V4L2_BUF_FLAG_MAPPED;
        return 0;
    }
    case VIDIOC_QBUF: {
        struct v4l2_buffer *buffer = word;
        if (buffer->index >= count || n_queued >= MAX_BUFFERS)
            return fail(EINVAL);
        queue[n_queued++] = buffer->index;
        return 0;
    }
    case VIDIOC_DQBUF:
        return take(word);
    case VIDIOC_STREAMON:
        return start();
    case VIDIOC_STREAMOFF:
        stop();
        return 0;
    default:
        return fail(ENOTTY);
    }
}

int ioctl(int fd, unsigned long request, ...) {
    va_list words;
    va_start(words, request);
    void *word = va_arg(words, void *);
    va_end(words);
    if (fd < 0 || fd != device)
        return syscall(SYS_ioctl, fd, request, word);
    return answer((unsigned)request, word);
}
