/* Included before every source file of zeroc-ice 3.6.5 so that it compiles on CPython 3.11.

   IcePy reads the current frame as `PyThreadState_GET()->frame`. CPython 3.11 removed that member and has PyEval_GetFrame()
   instead. Here PyThreadState_GET() returns an object with this one member, as IcePy reads no other. */
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
