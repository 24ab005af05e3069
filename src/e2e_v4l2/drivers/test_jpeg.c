// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * A JPEG encoder as boards have one in hardware (V4L2 memory-to-memory), for the test machine, where none is.
 *
 * It has the habits of real ones that a program must know: sizes are rounded up to 16, the visible part is set by a
 * selection, a coded buffer is as small as was asked for. Its JPEGs are valid and coarse: each block has one colour.
 */
#include <linux/module.h>
#include <linux/platform_device.h>
#include <media/v4l2-ctrls.h>
#include <media/v4l2-device.h>
#include <media/v4l2-fh.h>
#include <media/v4l2-ioctl.h>
#include <media/v4l2-mem2mem.h>
#include <media/videobuf2-vmalloc.h>

static bool multiplanar;
module_param(multiplanar, bool, 0444);

enum { FAULT_NONE, FAULT_MARKED, FAULT_SILENT, FAULT_GARBAGE, FAULT_STREAMON, FAULT_NO_CROP };
static int fault;
module_param(fault, int, 0644);

#define NAME "test-jpeg"
#define MOST 4096

struct raw_format {
	u32 fourcc;
	unsigned int n_buffers;
	bool multiplanar_only;
};

static const struct raw_format raw_formats[] = {
	{ V4L2_PIX_FMT_NV12, 1, false },
	{ V4L2_PIX_FMT_NV12M, 2, true },
	{ V4L2_PIX_FMT_YUYV, 1, false },
};

struct test_device {
	struct v4l2_device v4l2_dev;
	struct video_device video;
	struct v4l2_m2m_dev *m2m;
	struct mutex lock;
};

struct context {
	struct v4l2_fh fh;
	struct v4l2_ctrl_handler controls;
	struct v4l2_ctrl *quality;
	const struct raw_format *format;
	/* Of the buffers, of the visible part, and of the coded picture. */
	u32 width, height, visible_width, visible_height, coded_width, coded_height;
	u32 coded_size;
};

static struct test_device device;
static struct platform_device *parent;

static inline struct context *context_of(void *fh)
{
	return container_of(fh, struct context, fh);
}

/* Formats. */

static u32 line_bytes(const struct raw_format *format, u32 width)
{
	return format->fourcc == V4L2_PIX_FMT_YUYV ? width * 2 : width;
}

static u32 buffer_bytes(const struct raw_format *format, u32 width, u32 height, unsigned int plane)
{
	switch (format->fourcc) {
	case V4L2_PIX_FMT_YUYV:
		return width * 2 * height;
	case V4L2_PIX_FMT_NV12M:
		return plane ? width * height / 2 : width * height;
	default:
		return width * height * 3 / 2;
	}
}

static int enum_raw(struct file *file, void *fh, struct v4l2_fmtdesc *f)
{
	unsigned int n = 0, i;

	for (i = 0; i < ARRAY_SIZE(raw_formats); i++) {
		if (raw_formats[i].multiplanar_only && !multiplanar)
			continue;
		if (n++ == f->index) {
			f->pixelformat = raw_formats[i].fourcc;
			return 0;
		}
	}
	return -EINVAL;
}

static int enum_coded(struct file *file, void *fh, struct v4l2_fmtdesc *f)
{
	if (f->index)
		return -EINVAL;
	f->pixelformat = V4L2_PIX_FMT_JPEG;
	return 0;
}

static void fill(struct v4l2_format *f, u32 fourcc, u32 width, u32 height, unsigned int n, const u32 *bytes, u32 line)
{
	unsigned int i;

	if (V4L2_TYPE_IS_MULTIPLANAR(f->type)) {
		struct v4l2_pix_format_mplane *pix = &f->fmt.pix_mp;

		pix->pixelformat = fourcc;
		pix->width = width;
		pix->height = height;
		pix->field = V4L2_FIELD_NONE;
		pix->num_planes = n;
		for (i = 0; i < n; i++) {
			pix->plane_fmt[i].bytesperline = line;
			pix->plane_fmt[i].sizeimage = bytes[i];
		}
	} else {
		struct v4l2_pix_format *pix = &f->fmt.pix;

		pix->pixelformat = fourcc;
		pix->width = width;
		pix->height = height;
		pix->field = V4L2_FIELD_NONE;
		pix->bytesperline = line;
		pix->sizeimage = bytes[0];
	}
}

static int get_raw(struct file *file, void *fh, struct v4l2_format *f)
{
	struct context *ctx = context_of(fh);
	u32 bytes[2] = {
		buffer_bytes(ctx->format, ctx->width, ctx->height, 0),
		buffer_bytes(ctx->format, ctx->width, ctx->height, 1),
	};

	fill(f, ctx->format->fourcc, ctx->width, ctx->height, ctx->format->n_buffers, bytes,
	     line_bytes(ctx->format, ctx->width));
	return 0;
}

static int set_raw(struct file *file, void *fh, struct v4l2_format *f)
{
	struct context *ctx = context_of(fh);
	bool mp = V4L2_TYPE_IS_MULTIPLANAR(f->type);
	u32 fourcc = mp ? f->fmt.pix_mp.pixelformat : f->fmt.pix.pixelformat;
	u32 width = mp ? f->fmt.pix_mp.width : f->fmt.pix.width;
	u32 height = mp ? f->fmt.pix_mp.height : f->fmt.pix.height;
	unsigned int i;

	if (vb2_is_busy(v4l2_m2m_get_vq(ctx->fh.m2m_ctx, f->type)))
		return -EBUSY;
	ctx->format = &raw_formats[0];
	for (i = 0; i < ARRAY_SIZE(raw_formats); i++)
		if (raw_formats[i].fourcc == fourcc && (multiplanar || !raw_formats[i].multiplanar_only))
			ctx->format = &raw_formats[i];
	ctx->width = ALIGN(clamp_t(u32, width, 16, MOST), 16);
	ctx->height = ALIGN(clamp_t(u32, height, 16, MOST), 16);
	ctx->visible_width = ctx->width;
	ctx->visible_height = ctx->height;
	return get_raw(file, fh, f);
}

static int get_coded(struct file *file, void *fh, struct v4l2_format *f)
{
	struct context *ctx = context_of(fh);

	fill(f, V4L2_PIX_FMT_JPEG, ctx->coded_width, ctx->coded_height, 1, &ctx->coded_size, 0);
	return 0;
}

static int set_coded(struct file *file, void *fh, struct v4l2_format *f)
{
	struct context *ctx = context_of(fh);
	bool mp = V4L2_TYPE_IS_MULTIPLANAR(f->type);
	u32 size = mp ? f->fmt.pix_mp.plane_fmt[0].sizeimage : f->fmt.pix.sizeimage;

	if (vb2_is_busy(v4l2_m2m_get_vq(ctx->fh.m2m_ctx, f->type)))
		return -EBUSY;
	ctx->coded_width = clamp_t(u32, mp ? f->fmt.pix_mp.width : f->fmt.pix.width, 16, MOST);
	ctx->coded_height = clamp_t(u32, mp ? f->fmt.pix_mp.height : f->fmt.pix.height, 16, MOST);
	ctx->coded_size = clamp_t(u32, size, PAGE_SIZE, 64 << 20);
	return get_coded(file, fh, f);
}

static int get_selection(struct file *file, void *fh, struct v4l2_selection *s)
{
	struct context *ctx = context_of(fh);

	if (s->type != V4L2_BUF_TYPE_VIDEO_OUTPUT || s->target != V4L2_SEL_TGT_CROP)
		return -EINVAL;
	s->r = (struct v4l2_rect){ 0, 0, ctx->visible_width, ctx->visible_height };
	return 0;
}

static int set_selection(struct file *file, void *fh, struct v4l2_selection *s)
{
	struct context *ctx = context_of(fh);

	if (s->type != V4L2_BUF_TYPE_VIDEO_OUTPUT || s->target != V4L2_SEL_TGT_CROP)
		return -EINVAL;
	if (fault == FAULT_NO_CROP)
		return -ENODATA;
	ctx->visible_width = clamp_t(u32, s->r.width, 1, ctx->width);
	ctx->visible_height = clamp_t(u32, s->r.height, 1, ctx->height);
	return get_selection(file, fh, s);
}

static int querycap(struct file *file, void *fh, struct v4l2_capability *cap)
{
	strscpy(cap->driver, NAME, sizeof(cap->driver));
	strscpy(cap->card, "Test JPEG Encoder", sizeof(cap->card));
	strscpy(cap->bus_info, "platform:" NAME, sizeof(cap->bus_info));
	return 0;
}

static const struct v4l2_ioctl_ops ioctls = {
	.vidioc_querycap = querycap,
	.vidioc_enum_fmt_vid_cap = enum_coded,
	.vidioc_enum_fmt_vid_out = enum_raw,
	.vidioc_g_fmt_vid_cap = get_coded,
	.vidioc_s_fmt_vid_cap = set_coded,
	.vidioc_g_fmt_vid_out = get_raw,
	.vidioc_s_fmt_vid_out = set_raw,
	.vidioc_g_fmt_vid_cap_mplane = get_coded,
	.vidioc_s_fmt_vid_cap_mplane = set_coded,
	.vidioc_g_fmt_vid_out_mplane = get_raw,
	.vidioc_s_fmt_vid_out_mplane = set_raw,
	.vidioc_g_selection = get_selection,
	.vidioc_s_selection = set_selection,
	.vidioc_reqbufs = v4l2_m2m_ioctl_reqbufs,
	.vidioc_querybuf = v4l2_m2m_ioctl_querybuf,
	.vidioc_qbuf = v4l2_m2m_ioctl_qbuf,
	.vidioc_dqbuf = v4l2_m2m_ioctl_dqbuf,
	.vidioc_streamon = v4l2_m2m_ioctl_streamon,
	.vidioc_streamoff = v4l2_m2m_ioctl_streamoff,
};

/* The JPEG: baseline, with a code of 4 bits for the size of each difference and one of 1 bit for "no more". */

struct writer {
	u8 *to;
	unsigned int n, max;
	u32 bits;
	int n_bits;
};

static void put(struct writer *w, const u8 *bytes, unsigned int n)
{
	if (w->n + n <= w->max)
		memcpy(w->to + w->n, bytes, n);
	w->n += n;
}

#define PUT(w, ...) put(w, (const u8[]){ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ }))

static void put_bits(struct writer *w, u32 value, int n)
{
	w->bits = w->bits << n | (value & ((1 << n) - 1));
	for (w->n_bits += n; w->n_bits >= 8; w->n_bits -= 8) {
		u8 byte = w->bits >> (w->n_bits - 8);

		PUT(w, byte);
		if (byte == 0xff)
			PUT(w, 0);
	}
}

static void put_header(struct writer *w, u16 width, u16 height, u8 step, u8 sampling)
{
	u8 tables[64];

	memset(tables, step, sizeof(tables));
	PUT(w, 0xff, 0xd8, 0xff, 0xdb, 0, 67, 0);
	put(w, tables, sizeof(tables));
	PUT(w, 0xff, 0xc0, 0, 17, 8, height >> 8, height & 255, width >> 8, width & 255, 3, 1, sampling, 0, 2, 0x11, 0, 3,
	    0x11, 0);
	PUT(w, 0xff, 0xc4, 0, 31, 0x00, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
	    11);
	PUT(w, 0xff, 0xc4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	PUT(w, 0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0);
}

/* A block of 8x8 samples that lie `step` bytes apart. */
static void put_block(struct writer *w, const u8 *at, u32 stride, u32 step, int quantiser, int *last)
{
	int sum = 0, dc, diff, size;
	unsigned int x, y;

	for (y = 0; y < 8; y++)
		for (x = 0; x < 8; x++)
			sum += at[y * stride + x * step];
	dc = DIV_ROUND_CLOSEST(sum / 8 - 1024, quantiser);
	diff = dc - *last;
	*last = dc;
	size = fls(abs(diff));
	put_bits(w, size, 4);
	put_bits(w, diff < 0 ? diff - 1 : diff, size);
	put_bits(w, 0, 1);
}

static unsigned int encode(struct context *ctx, struct vb2_buffer *from, struct vb2_buffer *to)
{
	struct writer w = { .to = vb2_plane_vaddr(to, 0), .max = vb2_plane_size(to, 0) };
	int quantiser = 101 - ctx->quality->val, last[3] = { 0, 0, 0 };
	bool packed = ctx->format->fourcc == V4L2_PIX_FMT_YUYV;
	const u8 *luma = vb2_plane_vaddr(from, 0), *colour;
	u32 stride = line_bytes(ctx->format, ctx->width), step = packed ? 2 : 1;
	u32 rows = packed ? 8 : 16, x, y, i;

	colour = packed ? luma + 1
	       : ctx->format->n_buffers == 2 ? vb2_plane_vaddr(from, 1) : luma + stride * ctx->height;
	put_header(&w, ctx->visible_width, ctx->visible_height, quantiser, packed ? 0x21 : 0x22);
	for (y = 0; y < ctx->visible_height; y += rows) {
		for (x = 0; x < ctx->visible_width; x += 16) {
			for (i = 0; i < rows / 4; i++)
				put_block(&w, luma + (y + i / 2 * 8) * stride + (x + i % 2 * 8) * step, stride, step,
					  quantiser, &last[0]);
			for (i = 0; i < 2; i++)
				put_block(&w, colour + (packed ? y : y / 2) * stride + x * step +
					  (packed ? 2 : 1) * i, stride, packed ? 4 : 2, quantiser,
					  &last[1 + i]);
		}
	}
	put_bits(&w, 0x7f, 7);
	PUT(&w, 0xff, 0xd9);
	return w.n <= w.max ? w.n : 0;
}

static void run(void *priv)
{
	struct context *ctx = priv;
	struct vb2_v4l2_buffer *from, *to;
	unsigned int bytes;

	if (fault == FAULT_SILENT)
		return;
	from = v4l2_m2m_src_buf_remove(ctx->fh.m2m_ctx);
	to = v4l2_m2m_dst_buf_remove(ctx->fh.m2m_ctx);
	bytes = encode(ctx, &from->vb2_buf, &to->vb2_buf);
	if (fault == FAULT_GARBAGE)
		memset(vb2_plane_vaddr(&to->vb2_buf, 0), 0x4f, bytes);
	vb2_set_plane_payload(&to->vb2_buf, 0, bytes);
	v4l2_m2m_buf_copy_metadata(from, to, false);
	v4l2_m2m_buf_done(from, VB2_BUF_STATE_DONE);
	v4l2_m2m_buf_done(to, fault == FAULT_MARKED || !bytes ? VB2_BUF_STATE_ERROR : VB2_BUF_STATE_DONE);
	v4l2_m2m_job_finish(device.m2m, ctx->fh.m2m_ctx);
}

static void give_up(void *priv)
{
	struct context *ctx = priv;

	if (fault == FAULT_SILENT)
		v4l2_m2m_job_finish(device.m2m, ctx->fh.m2m_ctx);
}

static const struct v4l2_m2m_ops work = { .device_run = run, .job_abort = give_up };

/* Buffers. */

static int queue_setup(struct vb2_queue *q, unsigned int *n, unsigned int *planes, unsigned int sizes[],
		       struct device *devs[])
{
	struct context *ctx = vb2_get_drv_priv(q);
	unsigned int i;

	*planes = V4L2_TYPE_IS_OUTPUT(q->type) ? ctx->format->n_buffers : 1;
	for (i = 0; i < *planes; i++)
		sizes[i] = V4L2_TYPE_IS_OUTPUT(q->type)
			 ? buffer_bytes(ctx->format, ctx->width, ctx->height, i) : ctx->coded_size;
	return 0;
}

static int buf_prepare(struct vb2_buffer *vb)
{
	struct context *ctx = vb2_get_drv_priv(vb->vb2_queue);
	unsigned int i;

	/* As real hardware does: it reads whole buffers, whatever the program says to have filled. */
	for (i = 0; V4L2_TYPE_IS_OUTPUT(vb->type) && i < vb->num_planes; i++)
		if (vb2_get_plane_payload(vb, i) < buffer_bytes(ctx->format, ctx->width, ctx->height, i))
			return -EINVAL;
	return 0;
}

static int buf_out_validate(struct vb2_buffer *vb)
{
	to_vb2_v4l2_buffer(vb)->field = V4L2_FIELD_NONE;
	return 0;
}

static void buf_queue(struct vb2_buffer *vb)
{
	struct context *ctx = vb2_get_drv_priv(vb->vb2_queue);

	v4l2_m2m_buf_queue(ctx->fh.m2m_ctx, to_vb2_v4l2_buffer(vb));
}

static void return_all(struct vb2_queue *q, enum vb2_buffer_state state)
{
	struct context *ctx = vb2_get_drv_priv(q);
	struct vb2_v4l2_buffer *buffer;

	while ((buffer = V4L2_TYPE_IS_OUTPUT(q->type) ? v4l2_m2m_src_buf_remove(ctx->fh.m2m_ctx)
						       : v4l2_m2m_dst_buf_remove(ctx->fh.m2m_ctx)))
		v4l2_m2m_buf_done(buffer, state);
}

static int start_streaming(struct vb2_queue *q, unsigned int count)
{
	if (fault != FAULT_STREAMON)
		return 0;
	return_all(q, VB2_BUF_STATE_QUEUED);
	return -EIO;
}

static void stop_streaming(struct vb2_queue *q)
{
	return_all(q, VB2_BUF_STATE_ERROR);
}

static const struct vb2_ops buffers = {
	.queue_setup = queue_setup,
	.buf_out_validate = buf_out_validate,
	.buf_prepare = buf_prepare,
	.buf_queue = buf_queue,
	.start_streaming = start_streaming,
	.stop_streaming = stop_streaming,
	.wait_prepare = vb2_ops_wait_prepare,
	.wait_finish = vb2_ops_wait_finish,
};

static int init_queue(struct context *ctx, struct vb2_queue *q, u32 type)
{
	q->type = type;
	q->io_modes = VB2_MMAP;
	q->drv_priv = ctx;
	q->buf_struct_size = sizeof(struct v4l2_m2m_buffer);
	q->ops = &buffers;
	q->mem_ops = &vb2_vmalloc_memops;
	q->timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_COPY;
	q->lock = &device.lock;
	return vb2_queue_init(q);
}

static int init_queues(void *priv, struct vb2_queue *from, struct vb2_queue *to)
{
	struct context *ctx = priv;
	int error = init_queue(ctx, from, multiplanar ? V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE : V4L2_BUF_TYPE_VIDEO_OUTPUT);

	return error ?: init_queue(ctx, to, multiplanar ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE
							: V4L2_BUF_TYPE_VIDEO_CAPTURE);
}

/* The node. */

static int set_control(struct v4l2_ctrl *control)
{
	return 0;
}

static const struct v4l2_ctrl_ops control_ops = { .s_ctrl = set_control };

static int open(struct file *file)
{
	struct context *ctx = kzalloc(sizeof(*ctx), GFP_KERNEL);
	int error;

	if (!ctx)
		return -ENOMEM;
	v4l2_fh_init(&ctx->fh, &device.video);
	file->private_data = &ctx->fh;
	v4l2_ctrl_handler_init(&ctx->controls, 1);
	ctx->quality = v4l2_ctrl_new_std(&ctx->controls, &control_ops, V4L2_CID_JPEG_COMPRESSION_QUALITY, 1, 100, 1, 50);
	ctx->fh.ctrl_handler = &ctx->controls;
	ctx->format = &raw_formats[0];
	ctx->width = ctx->height = ctx->visible_width = ctx->visible_height = 64;
	ctx->coded_width = ctx->coded_height = 64;
	ctx->coded_size = PAGE_SIZE;
	ctx->fh.m2m_ctx = v4l2_m2m_ctx_init(device.m2m, ctx, init_queues);
	error = ctx->controls.error ?: PTR_ERR_OR_ZERO(ctx->fh.m2m_ctx);
	if (error) {
		v4l2_ctrl_handler_free(&ctx->controls);
		v4l2_fh_exit(&ctx->fh);
		kfree(ctx);
		return error;
	}
	v4l2_fh_add(&ctx->fh);
	return 0;
}

static int release(struct file *file)
{
	struct context *ctx = context_of(file->private_data);

	v4l2_fh_del(&ctx->fh);
	v4l2_m2m_ctx_release(ctx->fh.m2m_ctx);
	v4l2_ctrl_handler_free(&ctx->controls);
	v4l2_fh_exit(&ctx->fh);
	kfree(ctx);
	return 0;
}

static const struct v4l2_file_operations file_ops = {
	.owner = THIS_MODULE,
	.open = open,
	.release = release,
	.poll = v4l2_m2m_fop_poll,
	.unlocked_ioctl = video_ioctl2,
	.mmap = v4l2_m2m_fop_mmap,
};

static void __exit leave(void)
{
	video_unregister_device(&device.video);
	v4l2_m2m_release(device.m2m);
	v4l2_device_unregister(&device.v4l2_dev);
	platform_device_unregister(parent);
}

static int __init enter(void)
{
	struct video_device *video = &device.video;
	int error;

	mutex_init(&device.lock);
	parent = platform_device_register_simple(NAME, -1, NULL, 0);
	if (IS_ERR(parent))
		return PTR_ERR(parent);
	/* Otherwise it would be the name of the parent's driver, which has none. */
	strscpy(device.v4l2_dev.name, NAME, sizeof(device.v4l2_dev.name));
	error = v4l2_device_register(&parent->dev, &device.v4l2_dev);
	if (error)
		goto no_device;
	device.m2m = v4l2_m2m_init(&work);
	error = PTR_ERR_OR_ZERO(device.m2m);
	if (error)
		goto no_m2m;
	strscpy(video->name, NAME, sizeof(video->name));
	video->fops = &file_ops;
	video->ioctl_ops = &ioctls;
	video->lock = &device.lock;
	video->v4l2_dev = &device.v4l2_dev;
	video->vfl_dir = VFL_DIR_M2M;
	video->release = video_device_release_empty;
	video->device_caps = V4L2_CAP_STREAMING | (multiplanar ? V4L2_CAP_VIDEO_M2M_MPLANE : V4L2_CAP_VIDEO_M2M);
	error = video_register_device(video, VFL_TYPE_VIDEO, -1);
	if (!error)
		return 0;
	v4l2_m2m_release(device.m2m);
no_m2m:
	v4l2_device_unregister(&device.v4l2_dev);
no_device:
	platform_device_unregister(parent);
	return error;
}

module_init(enter);
module_exit(leave);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("A JPEG encoder for tests");
