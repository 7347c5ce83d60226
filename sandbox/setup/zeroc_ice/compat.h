/* Included before every source file of zeroc-ice 3.6.5 so that it compiles on CPython 3.11.

   IcePy reads the current frame as `PyThreadState_GET()->frame`. CPython 3.11 took that member out of the struct and gives the
   frame by PyEval_GetFrame(). Here PyThreadState_GET() answers an object with this one member, which is all that IcePy reads. */
#ifndef BIOIMAGE_SUITE_ICE_COMPAT_H
#define BIOIMAGE_SUITE_ICE_COMPAT_H
#ifdef __cplusplus
#include <Python.h>
#include <frameobject.h>

struct CurrentFrame
{
    PyFrameObject* frame; /* borrowed, as it was in PyThreadState */
};

static inline CurrentFrame* currentFrame()
{
    static thread_local CurrentFrame current;
    current.frame = PyEval_GetFrame();
    return &current;
}

#undef PyThreadState_GET
#define PyThreadState_GET() currentFrame()
#endif
#endif
