; none: written by scripts.spatial_kernels with Numba 0.68.1. Do not edit.

declare double @llvm.ceil.f64(double)

declare i64 @llvm.smin.i64(i64, i64)

declare double @llvm.sqrt.f64(double)

define i32 @kernel(ptr noalias writeonly %retptr, ptr noalias readnone %excinfo, ptr readnone %arg.zs.0, ptr readnone %arg.zs.1, i64 %arg.zs.2, i64 %arg.zs.3, ptr readonly %arg.zs.4, i64 %arg.zs.5.0, i64 %arg.zs.6.0, ptr readnone %arg.ys.0, ptr readnone %arg.ys.1, i64 %arg.ys.2, i64 %arg.ys.3, ptr readonly %arg.ys.4, i64 %arg.ys.5.0, i64 %arg.ys.6.0, ptr readnone %arg.xs.0, ptr readnone %arg.xs.1, i64 %arg.xs.2, i64 %arg.xs.3, ptr readonly %arg.xs.4, i64 %arg.xs.5.0, i64 %arg.xs.6.0, ptr readnone %arg.of_class.0, ptr readnone %arg.of_class.1, i64 %arg.of_class.2, i64 %arg.of_class.3, ptr readonly %arg.of_class.4, i64 %arg.of_class.5.0, i64 %arg.of_class.6.0, ptr readnone %arg.starts.0, ptr readnone %arg.starts.1, i64 %arg.starts.2, i64 %arg.starts.3, ptr readonly %arg.starts.4, i64 %arg.starts.5.0, i64 %arg.starts.6.0, ptr readnone %arg.offsets.0, ptr readnone %arg.offsets.1, i64 %arg.offsets.2, i64 %arg.offsets.3, ptr readonly %arg.offsets.4, i64 %arg.offsets.5.0, i64 %arg.offsets.5.1, i64 %arg.offsets.6.0, i64 %arg.offsets.6.1, ptr readnone %arg.widths.0, ptr readnone %arg.widths.1, i64 %arg.widths.2, i64 %arg.widths.3, ptr readonly %arg.widths.4, i64 %arg.widths.5.0, i64 %arg.widths.6.0, i64 %arg.rows_y, double %arg.reach, double %arg.numbers.0, double %arg.numbers.1, double %arg.numbers.2, double %arg.numbers.3, double %arg.numbers.4, ptr readnone %arg.table.0, ptr readnone %arg.table.1, i64 %arg.table.2, i64 %arg.table.3, ptr readnone %arg.table.4, i64 %arg.table.5.0, i64 %arg.table.5.1, i64 %arg.table.6.0, i64 %arg.table.6.1, ptr readnone %arg.bins.0, ptr readnone %arg.bins.1, i64 %arg.bins.2, i64 %arg.bins.3, ptr %arg.bins.4, i64 %arg.bins.5.0, i64 %arg.bins.6.0, ptr readnone %arg.weights.0, ptr readnone %arg.weights.1, i64 %arg.weights.2, i64 %arg.weights.3, ptr %arg.weights.4, i64 %arg.weights.5.0, i64 %arg.weights.5.1, i64 %arg.weights.6.0, i64 %arg.weights.6.1, ptr readnone %arg.sums.0, ptr readnone %arg.sums.1, i64 %arg.sums.2, i64 %arg.sums.3, ptr %arg.sums.4, i64 %arg.sums.5.0, i64 %arg.sums.5.1, i64 %arg.sums.5.2, i64 %arg.sums.6.0, i64 %arg.sums.6.1, i64 %arg.sums.6.2) local_unnamed_addr {
B0.endif:
  %.219 = add nsw i64 %arg.starts.5.0, -1
  %.424 = icmp slt i64 %arg.starts.5.0, 2
  %..219 = select i1 %.424, i64 0, i64 %.219
  %.4681399 = icmp sgt i64 %..219, 0
  br i1 %.4681399, label %B108.lr.ph, label %B1665

B108.lr.ph:                                       ; preds = %B0.endif
  %.2395 = fdiv double 1.000000e+03, %arg.reach
  %.2396 = fmul double %arg.reach, %arg.reach
  %.3412 = mul i64 %arg.sums.5.2, %arg.sums.5.1
  %0 = tail call i64 @llvm.smin.i64(i64 %arg.rows_y, i64 0)
  %scevgep12 = getelementptr i8, ptr %arg.of_class.4, i64 8
  br label %B108

B104.loopexit:                                    ; preds = %B1507, %B108.endif.endif
  %exitcond1423.not = icmp eq i64 %.481, %..219
  br i1 %exitcond1423.not, label %B1665, label %B108

B108:                                             ; preds = %B108.lr.ph, %B104.loopexit
  %.47413841406 = phi i64 [ 0, %B108.lr.ph ], [ %.481, %B104.loopexit ]
  %1 = icmp eq i64 %arg.rows_y, 0
  %.481 = add nuw nsw i64 %.47413841406, 1
  br i1 %1, label %B108.endif.endif, label %B108.else.if

B180:                                             ; preds = %B180.lr.ph, %B1507
  %.65213511373 = phi i64 [ 0, %B180.lr.ph ], [ %.659, %B1507 ]
  %.659 = add nuw nsw i64 %.65213511373, 1
  %.736 = mul i64 %.65213511373, %arg.offsets.5.1
  %.740 = getelementptr i64, ptr %arg.offsets.4, i64 %.736
  %.741 = load i64, ptr %.740, align 8
  %.743 = mul nsw i64 %.741, %arg.rows_y
  %.745 = add nsw i64 %.743, %.47413841406
  %.799 = getelementptr i8, ptr %.740, i64 8
  %.800 = load i64, ptr %.799, align 8
  %.801 = add nsw i64 %.745, %.800
  %.858 = add nsw i64 %.800, %rem.0
  %.867 = icmp sge i64 %.801, %.219
  %.870 = icmp slt i64 %.858, 0
  %or.cond = select i1 %.867, i1 true, i1 %.870
  %.874 = icmp sge i64 %.858, %arg.rows_y
  %or.cond1310 = select i1 %or.cond, i1 true, i1 %.874
  br i1 %or.cond1310, label %B1507, label %B300.endif

B418:                                             ; preds = %B418.lr.ph, %B1298
  %first.3.31343 = phi i64 [ %.915, %B418.lr.ph ], [ %spec.select, %B1298 ]
  %end.2.31342 = phi i64 [ %.915, %B418.lr.ph ], [ %end.3.4, %B1298 ]
  %.113113291341 = phi i64 [ %.1089, %B418.lr.ph ], [ %.1141, %B1298 ]
  %.113813301340 = phi i64 [ %.1020, %B418.lr.ph ], [ %.1145, %B1298 ]
  %.1141 = add nsw i64 %.113113291341, -1
  %.1145 = add i64 %.113813301340, 1
  %.1179 = icmp slt i64 %end.2.31342, %.980
  br i1 %.1179, label %B432, label %B562

B432:                                             ; preds = %B418
  %.1202 = icmp slt i64 %end.2.31342, 0
  %.1203 = select i1 %.1202, i64 %arg.xs.5.0, i64 0
  %2 = getelementptr double, ptr %arg.xs.4, i64 %end.2.31342
  %.1217 = getelementptr double, ptr %2, i64 %.1203
  %.1218 = load double, ptr %.1217, align 8
  %.1235 = icmp slt i64 %.113813301340, 0
  %.1236 = select i1 %.1235, i64 %arg.xs.5.0, i64 0
  %3 = getelementptr double, ptr %arg.xs.4, i64 %.113813301340
  %.1250 = getelementptr double, ptr %3, i64 %.1236
  %.1251 = load double, ptr %.1250, align 8
  %sunkaddr = mul i64 %.65213511373, 8
  %sunkaddr25 = getelementptr i8, ptr %arg.widths.4, i64 %sunkaddr
  %.1282 = load double, ptr %sunkaddr25, align 8
  %.1283 = fadd double %.1251, %.1282
  %.1284 = fcmp ugt double %.1218, %.1283
  br i1 %.1284, label %B562, label %B486.preheader

B486.preheader:                                   ; preds = %B432
  br label %B486

B486:                                             ; preds = %B486.preheader, %B508
  %end.4.5 = phi i64 [ %.1290, %B508 ], [ %end.2.31342, %B486.preheader ]
  %exitcond.not = icmp eq i64 %44, %end.4.5
  br i1 %exitcond.not, label %B562, label %B508

B508:                                             ; preds = %B486
  %.1290 = add i64 %end.4.5, 1
  %.1323 = icmp slt i64 %end.4.5, -1
  %.1324 = select i1 %.1323, i64 %arg.xs.5.0, i64 0
  %4 = shl i64 %.1324, 3
  %scevgep = getelementptr i8, ptr %arg.xs.4, i64 %4
  %5 = shl i64 %end.4.5, 3
  %scevgep2 = getelementptr i8, ptr %scevgep, i64 %5
  %scevgep3 = getelementptr i8, ptr %scevgep2, i64 8
  %.1339 = load double, ptr %scevgep3, align 8
  %.1405 = fcmp ugt double %.1339, %.1283
  br i1 %.1405, label %B562, label %B486

B562:                                             ; preds = %B486, %B508, %B432, %B418
  %end.3.4 = phi i64 [ %end.2.31342, %B432 ], [ %end.2.31342, %B418 ], [ %.980, %B486 ], [ %.1290, %B508 ]
  %.1424 = icmp slt i64 %first.3.31343, %end.3.4
  br i1 %.1424, label %B574, label %B704

B574:                                             ; preds = %B562
  %.1447 = icmp slt i64 %first.3.31343, 0
  %.1448 = select i1 %.1447, i64 %arg.xs.5.0, i64 0
  %6 = getelementptr double, ptr %arg.xs.4, i64 %first.3.31343
  %.1462 = getelementptr double, ptr %6, i64 %.1448
  %.1463 = load double, ptr %.1462, align 8
  %.1480 = icmp slt i64 %.113813301340, 0
  %.1481 = select i1 %.1480, i64 %arg.xs.5.0, i64 0
  %7 = getelementptr double, ptr %arg.xs.4, i64 %.113813301340
  %.1495 = getelementptr double, ptr %7, i64 %.1481
  %.1496 = load double, ptr %.1495, align 8
  %sunkaddr26 = mul i64 %.65213511373, 8
  %sunkaddr27 = getelementptr i8, ptr %arg.widths.4, i64 %sunkaddr26
  %.1527 = load double, ptr %sunkaddr27, align 8
  %.1528 = fsub double %.1496, %.1527
  %.1529 = fcmp olt double %.1463, %.1528
  br i1 %.1529, label %B628.preheader, label %B704

B628.preheader:                                   ; preds = %B574
  %8 = add i64 %end.3.4, -1
  br label %B628

B628:                                             ; preds = %B628.preheader, %B650
  %first.6.5 = phi i64 [ %.1535, %B650 ], [ %first.3.31343, %B628.preheader ]
  %exitcond1419.not = icmp eq i64 %8, %first.6.5
  br i1 %exitcond1419.not, label %B704, label %B650

B650:                                             ; preds = %B628
  %.1535 = add i64 %first.6.5, 1
  %.1568 = icmp slt i64 %first.6.5, -1
  %.1569 = select i1 %.1568, i64 %arg.xs.5.0, i64 0
  %9 = shl i64 %.1569, 3
  %scevgep4 = getelementptr i8, ptr %arg.xs.4, i64 %9
  %10 = shl i64 %first.6.5, 3
  %scevgep5 = getelementptr i8, ptr %scevgep4, i64 %10
  %scevgep6 = getelementptr i8, ptr %scevgep5, i64 8
  %.1584 = load double, ptr %scevgep6, align 8
  %.1650 = fcmp olt double %.1584, %.1528
  br i1 %.1650, label %B628, label %B704

B704:                                             ; preds = %B628, %B650, %B562, %B574
  %first.5.4 = phi i64 [ %first.3.31343, %B574 ], [ %first.3.31343, %B562 ], [ %end.3.4, %B628 ], [ %.1535, %B650 ]
  %11 = icmp eq i64 %.65213511373, 0
  %spec.select = select i1 %11, i64 %.1145, i64 %first.5.4
  %.1692 = icmp slt i64 %.113813301340, 0
  %.1693 = select i1 %.1692, i64 %arg.zs.5.0, i64 0
  %12 = getelementptr double, ptr %arg.zs.4, i64 %.113813301340
  %.1707 = getelementptr double, ptr %12, i64 %.1693
  %.1708 = load double, ptr %.1707, align 8
  %.1724 = select i1 %.1692, i64 %arg.ys.5.0, i64 0
  %13 = getelementptr double, ptr %arg.ys.4, i64 %.113813301340
  %.1738 = getelementptr double, ptr %13, i64 %.1724
  %.1739 = load double, ptr %.1738, align 8
  %.1755 = select i1 %.1692, i64 %arg.xs.5.0, i64 0
  %14 = getelementptr double, ptr %arg.xs.4, i64 %.113813301340
  %.1769 = getelementptr double, ptr %14, i64 %.1755
  %.1770 = load double, ptr %.1769, align 8
  %.1809 = icmp slt i64 %spec.select, 0
  %.1810 = select i1 %.1809, i64 %arg.zs.5.0, i64 0
  %.1811 = add i64 %.1810, %spec.select
  %.1814 = icmp slt i64 %.1811, 0
  br i1 %.1814, label %B726.else.if, label %B726.else.endif

B920:                                             ; preds = %B920.preheader, %B1250
  %.250313171319 = phi i64 [ %.2510, %B1250 ], [ 0, %B920.preheader ]
  %.2510 = add nuw nsw i64 %.250313171319, 1
  %15 = shl i64 %.250313171319, 3
  %scevgep11 = getelementptr i8, ptr %.1912, i64 %15
  %.2568 = load double, ptr %scevgep11, align 8
  %.2570 = fsub double %.2568, %.1708
  %16 = shl i64 %.250313171319, 3
  %scevgep10 = getelementptr i8, ptr %.2085, i64 %16
  %.2601 = load double, ptr %scevgep10, align 8
  %.2603 = fsub double %.2601, %.1739
  %17 = shl i64 %.250313171319, 3
  %scevgep9 = getelementptr i8, ptr %.2258, i64 %17
  %.2634 = load double, ptr %scevgep9, align 8
  %.2636 = fsub double %.2634, %.1770
  %.2648 = fmul double %.2570, %.2570
  %.2651 = fmul double %.2603, %.2603
  %.2652 = fadd double %.2648, %.2651
  %.2655 = fmul double %.2636, %.2636
  %.2656 = fadd double %.2652, %.2655
  %sqrt = tail call double @llvm.sqrt.f64(double %.2656)
  %.2667 = fmul double %.2395, %sqrt
  %.2668 = tail call double @llvm.ceil.f64(double %.2667)
  %.2669 = fptosi double %.2668 to i64
  %.2670 = sitofp i64 %.2669 to double
  %.2671 = fadd double %.2670, -1.000000e+00
  %.2676 = fcmp ogt double %.2671, 0.000000e+00
  br i1 %.2676, label %B1038, label %B1250

B1038:                                            ; preds = %B920
  %.2698 = fcmp olt double %.2671, 9.990000e+02
  br i1 %.2698, label %B1250, label %B1246

B1246:                                            ; preds = %B1038
  br label %B1250

B1250:                                            ; preds = %B920, %B1038, %B1246
  %_weighing_runs__locals__weigh_run_v2__vphi346_1.2.5 = phi double [ 9.990000e+02, %B1246 ], [ %.2671, %B1038 ], [ 0.000000e+00, %B920 ]
  %.2721 = fcmp ole double %.2656, %.2396
  %_weighing_runs__locals__weigh_run_v2__vphi372_1.2.5 = select i1 %.2721, double %_weighing_runs__locals__weigh_run_v2__vphi346_1.2.5, double 1.000000e+03
  %18 = shl i64 %.250313171319, 3
  %scevgep8 = getelementptr i8, ptr %arg.bins.4, i64 %18
  %.2770 = fptoui double %_weighing_runs__locals__weigh_run_v2__vphi372_1.2.5 to i64
  store i64 %.2770, ptr %scevgep8, align 8
  %19 = shl i64 %.250313171319, 3
  %scevgep7 = getelementptr i8, ptr %arg.weights.4, i64 %19
  store double 1.000000e+00, ptr %scevgep7, align 8
  %exitcond1420.not = icmp eq i64 %.2233, %.2510
  br i1 %exitcond1420.not, label %B1272.else, label %B920

B1290:                                            ; preds = %B1290, %B1290.lr.ph.new
  %.326313231325 = phi i64 [ 0, %B1290.lr.ph.new ], [ %.3270.1, %B1290 ]
  %20 = shl i64 %.326313231325, 3
  %scevgep15 = getelementptr i8, ptr %scevgep13, i64 %20
  %scevgep16 = getelementptr i8, ptr %scevgep15, i64 -8
  %.3324 = load i64, ptr %scevgep16, align 8
  %sunkaddr28 = mul i64 %.326313231325, 8
  %sunkaddr29 = getelementptr i8, ptr %arg.bins.4, i64 %sunkaddr28
  %.3354 = load i64, ptr %sunkaddr29, align 8
  %.3388 = icmp slt i64 %.3324, 0
  %.3389 = select i1 %.3388, i64 %arg.sums.5.1, i64 0
  %.3390 = add i64 %.3389, %.3324
  %.3416 = mul i64 %.3390, %arg.sums.5.2
  %21 = getelementptr double, ptr %52, i64 %.3416
  %.3420 = getelementptr double, ptr %21, i64 %.3354
  %.3421 = load double, ptr %.3420, align 8
  %sunkaddr30 = mul i64 %.326313231325, 8
  %sunkaddr31 = getelementptr i8, ptr %arg.weights.4, i64 %sunkaddr30
  %.3451 = load double, ptr %sunkaddr31, align 8
  %.3452 = fadd double %.3421, %.3451
  store double %.3452, ptr %.3420, align 8
  %.3270.1 = add nuw i64 %.326313231325, 2
  %22 = shl i64 %.326313231325, 3
  %scevgep14 = getelementptr i8, ptr %scevgep13, i64 %22
  %.3324.1 = load i64, ptr %scevgep14, align 8
  %sunkaddr32 = mul i64 %.326313231325, 8
  %sunkaddr33 = getelementptr i8, ptr %arg.bins.4, i64 %sunkaddr32
  %sunkaddr34 = getelementptr i8, ptr %sunkaddr33, i64 8
  %.3354.1 = load i64, ptr %sunkaddr34, align 8
  %.3388.1 = icmp slt i64 %.3324.1, 0
  %.3389.1 = select i1 %.3388.1, i64 %arg.sums.5.1, i64 0
  %.3390.1 = add i64 %.3389.1, %.3324.1
  %.3416.1 = mul i64 %.3390.1, %arg.sums.5.2
  %23 = getelementptr double, ptr %52, i64 %.3416.1
  %.3420.1 = getelementptr double, ptr %23, i64 %.3354.1
  %.3421.1 = load double, ptr %.3420.1, align 8
  %sunkaddr35 = mul i64 %.326313231325, 8
  %sunkaddr36 = getelementptr i8, ptr %arg.weights.4, i64 %sunkaddr35
  %sunkaddr37 = getelementptr i8, ptr %sunkaddr36, i64 8
  %.3451.1 = load double, ptr %sunkaddr37, align 8
  %.3452.1 = fadd double %.3421.1, %.3451.1
  store double %.3452.1, ptr %.3420.1, align 8
  %niter.ncmp.1 = icmp eq i64 %unroll_iter, %.3270.1
  br i1 %niter.ncmp.1, label %B1298.loopexit.unr-lcssa, label %B1290

B1298.loopexit.unr-lcssa:                         ; preds = %B1290
  %24 = and i64 %.3051, 1
  %lcmp.mod.not = icmp eq i64 %24, 0
  br i1 %lcmp.mod.not, label %B1298, label %B1290.epil.preheader

B1290.epil.preheader:                             ; preds = %B1298.loopexit.unr-lcssa, %B1290.lr.ph
  %.326313231325.epil.init = phi i64 [ 0, %B1290.lr.ph ], [ %.3270.1, %B1298.loopexit.unr-lcssa ]
  %25 = getelementptr i64, ptr %.3076, i64 %.326313231325.epil.init
  %.3324.epil = load i64, ptr %25, align 8
  %26 = getelementptr i64, ptr %arg.bins.4, i64 %.326313231325.epil.init
  %.3354.epil = load i64, ptr %26, align 8
  %.3388.epil = icmp slt i64 %.3324.epil, 0
  %.3389.epil = select i1 %.3388.epil, i64 %arg.sums.5.1, i64 0
  %.3390.epil = add i64 %.3389.epil, %.3324.epil
  %.3416.epil = mul i64 %.3390.epil, %arg.sums.5.2
  %27 = getelementptr double, ptr %52, i64 %.3416.epil
  %.3420.epil = getelementptr double, ptr %27, i64 %.3354.epil
  %.3421.epil = load double, ptr %.3420.epil, align 8
  %28 = getelementptr double, ptr %arg.weights.4, i64 %.326313231325.epil.init
  %.3451.epil = load double, ptr %28, align 8
  %.3452.epil = fadd double %.3421.epil, %.3451.epil
  store double %.3452.epil, ptr %.3420.epil, align 8
  br label %B1298

B1298:                                            ; preds = %B1290.epil.preheader, %B1298.loopexit.unr-lcssa, %B1272.endif.endif
  %.1132 = icmp sgt i64 %.113113291341, 1
  br i1 %.1132, label %B418, label %B1507

B1507:                                            ; preds = %B1298, %B300.endif, %B180
  %exitcond1422.not = icmp eq i64 %arg.offsets.5.0, %.659
  br i1 %exitcond1422.not, label %B104.loopexit, label %B180

B1665:                                            ; preds = %B104.loopexit, %B0.endif
  store ptr null, ptr %retptr, align 8
  ret i32 0

B108.else.if:                                     ; preds = %B108
  %29 = or i64 %.47413841406, %arg.rows_y
  %30 = and i64 %29, -4294967296
  %31 = icmp eq i64 %30, 0
  br i1 %31, label %32, label %37

32:                                               ; preds = %B108.else.if
  %33 = trunc i64 %arg.rows_y to i32
  %34 = trunc i64 %.47413841406 to i32
  %35 = urem i32 %34, %33
  %36 = zext i32 %35 to i64
  br label %39

37:                                               ; preds = %B108.else.if
  %38 = srem i64 %.47413841406, %arg.rows_y
  br label %39

39:                                               ; preds = %37, %32
  %40 = phi i64 [ %36, %32 ], [ %38, %37 ]
  %.533.not = icmp eq i64 %40, 0
  %.541 = select i1 %.533.not, i64 0, i64 %0
  %spec.select1311 = add nsw i64 %.541, %40
  br label %B108.endif.endif

B108.endif.endif:                                 ; preds = %39, %B108
  %rem.0 = phi i64 [ 0, %B108 ], [ %spec.select1311, %39 ]
  %41 = icmp slt i64 %arg.offsets.5.0, 1
  br i1 %41, label %B104.loopexit, label %B180.lr.ph

B180.lr.ph:                                       ; preds = %B108.endif.endif
  br label %B180

B300.endif:                                       ; preds = %B180
  %.964 = icmp slt i64 %.801, -1
  %.965 = select i1 %.964, i64 %arg.starts.5.0, i64 0
  %42 = getelementptr i64, ptr %arg.starts.4, i64 %.801
  %43 = getelementptr i8, ptr %42, i64 8
  %.979 = getelementptr i64, ptr %43, i64 %.965
  %.980 = load i64, ptr %.979, align 8
  %sunkaddr38 = mul i64 %.47413841406, 8
  %sunkaddr39 = getelementptr i8, ptr %arg.starts.4, i64 %sunkaddr38
  %.1020 = load i64, ptr %sunkaddr39, align 8
  %sunkaddr40 = mul i64 %.47413841406, 8
  %sunkaddr41 = getelementptr i8, ptr %arg.starts.4, i64 %sunkaddr40
  %sunkaddr42 = getelementptr i8, ptr %sunkaddr41, i64 8
  %.1052 = load i64, ptr %sunkaddr42, align 8
  %.1089 = sub i64 %.1052, %.1020
  %.11321339.not = icmp slt i64 %.1089, 1
  br i1 %.11321339.not, label %B1507, label %B418.lr.ph

B418.lr.ph:                                       ; preds = %B300.endif
  %.899 = icmp slt i64 %.801, 0
  %.900 = select i1 %.899, i64 %arg.starts.5.0, i64 0
  %.914 = getelementptr i64, ptr %42, i64 %.900
  %.915 = load i64, ptr %.914, align 8
  %44 = add i64 %.980, -1
  br label %B418

B726.else.if:                                     ; preds = %B704
  br label %B726.else.endif

B726.else.endif:                                  ; preds = %B726.else.if, %B704
  %.1799.sroa.0.1 = phi i64 [ 0, %B726.else.if ], [ %.1811, %B704 ]
  %.1819.not = icmp slt i64 %.1811, %arg.zs.5.0
  br i1 %.1819.not, label %B726.else.endif.endif, label %B726.else.endif.if

B726.else.endif.if:                               ; preds = %B726.else.endif
  br label %B726.else.endif.endif

B726.else.endif.endif:                            ; preds = %B726.else.endif.if, %B726.else.endif
  %.1799.sroa.0.3 = phi i64 [ %arg.zs.5.0, %B726.else.endif.if ], [ %.1799.sroa.0.1, %B726.else.endif ]
  %45 = icmp slt i64 %spec.select, 0
  %.1912 = getelementptr double, ptr %arg.zs.4, i64 %.1799.sroa.0.3
  %.1983 = select i1 %45, i64 %arg.ys.5.0, i64 0
  %.1984 = add i64 %.1983, %spec.select
  %.1987 = icmp slt i64 %.1984, 0
  br i1 %.1987, label %B726.endif.else.if, label %B726.endif.else.endif

B726.endif.else.if:                               ; preds = %B726.else.endif.endif
  br label %B726.endif.else.endif

B726.endif.else.endif:                            ; preds = %B726.endif.else.if, %B726.else.endif.endif
  %.1972.sroa.0.1 = phi i64 [ 0, %B726.endif.else.if ], [ %.1984, %B726.else.endif.endif ]
  %.1992.not = icmp slt i64 %.1984, %arg.ys.5.0
  br i1 %.1992.not, label %B726.endif.endif.else, label %B726.endif.else.endif.if

B726.endif.else.endif.if:                         ; preds = %B726.endif.else.endif
  br label %B726.endif.endif.else

B726.endif.endif.else:                            ; preds = %B726.endif.else.endif.if, %B726.endif.else.endif
  %.1972.sroa.0.3 = phi i64 [ %arg.ys.5.0, %B726.endif.else.endif.if ], [ %.1972.sroa.0.1, %B726.endif.else.endif ]
  %46 = icmp slt i64 %spec.select, 0
  %.2085 = getelementptr double, ptr %arg.ys.4, i64 %.1972.sroa.0.3
  %.2156 = select i1 %46, i64 %arg.xs.5.0, i64 0
  %.2157 = add i64 %.2156, %spec.select
  %.2160 = icmp slt i64 %.2157, 0
  br i1 %.2160, label %B726.endif.endif.else.if, label %B726.endif.endif.else.endif

B726.endif.endif.endif:                           ; preds = %B726.endif.endif.else.endif.endif.endif, %B726.endif.endif.else.endif.endif.endif.if
  %.2145.sroa.13.0 = phi i64 [ %.2145.sroa.13.1, %B726.endif.endif.else.endif.endif.endif ], [ %arg.xs.5.0, %B726.endif.endif.else.endif.endif.endif.if ]
  %.2233 = sub i64 %.2145.sroa.13.0, %.2145.sroa.0.3
  %.2258 = getelementptr double, ptr %arg.xs.4, i64 %.2145.sroa.0.3
  %.24971318.not = icmp slt i64 %.2233, 1
  br i1 %.24971318.not, label %B1272.else, label %B920.preheader

B920.preheader:                                   ; preds = %B726.endif.endif.endif
  br label %B920

B726.endif.endif.else.if:                         ; preds = %B726.endif.endif.else
  br label %B726.endif.endif.else.endif

B726.endif.endif.else.endif:                      ; preds = %B726.endif.endif.else.if, %B726.endif.endif.else
  %.2145.sroa.0.1 = phi i64 [ 0, %B726.endif.endif.else.if ], [ %.2157, %B726.endif.endif.else ]
  %.2165.not = icmp slt i64 %.2157, %arg.xs.5.0
  br i1 %.2165.not, label %B726.endif.endif.else.endif.endif, label %B726.endif.endif.else.endif.if

B726.endif.endif.else.endif.if:                   ; preds = %B726.endif.endif.else.endif
  br label %B726.endif.endif.else.endif.endif

B726.endif.endif.else.endif.endif:                ; preds = %B726.endif.endif.else.endif.if, %B726.endif.endif.else.endif
  %.2145.sroa.0.3 = phi i64 [ %arg.xs.5.0, %B726.endif.endif.else.endif.if ], [ %.2145.sroa.0.1, %B726.endif.endif.else.endif ]
  %47 = icmp slt i64 %end.3.4, 0
  %.2173 = select i1 %47, i64 %arg.xs.5.0, i64 0
  %.2174 = add i64 %.2173, %end.3.4
  %.2177 = icmp slt i64 %.2174, 0
  br i1 %.2177, label %B726.endif.endif.else.endif.endif.if, label %B726.endif.endif.else.endif.endif.endif

B726.endif.endif.else.endif.endif.if:             ; preds = %B726.endif.endif.else.endif.endif
  br label %B726.endif.endif.else.endif.endif.endif

B726.endif.endif.else.endif.endif.endif:          ; preds = %B726.endif.endif.else.endif.endif.if, %B726.endif.endif.else.endif.endif
  %.2145.sroa.13.1 = phi i64 [ 0, %B726.endif.endif.else.endif.endif.if ], [ %.2174, %B726.endif.endif.else.endif.endif ]
  %.2182.not = icmp slt i64 %.2174, %arg.xs.5.0
  br i1 %.2182.not, label %B726.endif.endif.endif, label %B726.endif.endif.else.endif.endif.endif.if

B726.endif.endif.else.endif.endif.endif.if:       ; preds = %B726.endif.endif.else.endif.endif.endif
  br label %B726.endif.endif.endif

B1272.else:                                       ; preds = %B1250, %B726.endif.endif.endif
  %48 = icmp slt i64 %spec.select, 0
  %49 = icmp slt i64 %.113813301340, 0
  %.2917 = select i1 %49, i64 %arg.of_class.5.0, i64 0
  %50 = getelementptr i64, ptr %arg.of_class.4, i64 %.113813301340
  %.2931 = getelementptr i64, ptr %50, i64 %.2917
  %.2932 = load i64, ptr %.2931, align 8
  %.2974 = select i1 %48, i64 %arg.of_class.5.0, i64 0
  %.2975 = add i64 %.2974, %spec.select
  %.2978 = icmp slt i64 %.2975, 0
  br i1 %.2978, label %B1272.else.if, label %B1272.else.endif

B1272.else.if:                                    ; preds = %B1272.else
  br label %B1272.else.endif

B1272.else.endif:                                 ; preds = %B1272.else.if, %B1272.else
  %.2963.sroa.0.1 = phi i64 [ 0, %B1272.else.if ], [ %.2975, %B1272.else ]
  %.2983.not = icmp slt i64 %.2975, %arg.of_class.5.0
  br i1 %.2983.not, label %B1272.else.endif.endif, label %B1272.else.endif.if

B1272.else.endif.if:                              ; preds = %B1272.else.endif
  br label %B1272.else.endif.endif

B1272.else.endif.endif:                           ; preds = %B1272.else.endif.if, %B1272.else.endif
  %.2963.sroa.0.3 = phi i64 [ %arg.of_class.5.0, %B1272.else.endif.if ], [ %.2963.sroa.0.1, %B1272.else.endif ]
  %51 = icmp slt i64 %end.3.4, 0
  %.2991 = select i1 %51, i64 %arg.of_class.5.0, i64 0
  %.2992 = add i64 %.2991, %end.3.4
  %.2995 = icmp slt i64 %.2992, 0
  br i1 %.2995, label %B1272.else.endif.endif.if, label %B1272.else.endif.endif.endif

B1272.else.endif.endif.if:                        ; preds = %B1272.else.endif.endif
  br label %B1272.else.endif.endif.endif

B1272.else.endif.endif.endif:                     ; preds = %B1272.else.endif.endif.if, %B1272.else.endif.endif
  %.2963.sroa.13.1 = phi i64 [ 0, %B1272.else.endif.endif.if ], [ %.2992, %B1272.else.endif.endif ]
  %.3000.not = icmp slt i64 %.2992, %arg.of_class.5.0
  br i1 %.3000.not, label %B1272.endif.endif, label %B1272.else.endif.endif.endif.if

B1272.else.endif.endif.endif.if:                  ; preds = %B1272.else.endif.endif.endif
  br label %B1272.endif.endif

B1272.endif.endif:                                ; preds = %B1272.else.endif.endif.endif.if, %B1272.else.endif.endif.endif
  %.2963.sroa.13.0 = phi i64 [ %.2963.sroa.13.1, %B1272.else.endif.endif.endif ], [ %arg.of_class.5.0, %B1272.else.endif.endif.endif.if ]
  %.3051 = sub i64 %.2963.sroa.13.0, %.2963.sroa.0.3
  %.3076 = getelementptr i64, ptr %arg.of_class.4, i64 %.2963.sroa.0.3
  %.32571324.not = icmp slt i64 %.3051, 1
  br i1 %.32571324.not, label %B1298, label %B1290.lr.ph

B1290.lr.ph:                                      ; preds = %B1272.endif.endif
  %.3385 = icmp slt i64 %.2932, 0
  %.3386 = select i1 %.3385, i64 %arg.sums.5.0, i64 0
  %.3387 = add i64 %.3386, %.2932
  %.3414 = mul i64 %.3412, %.3387
  %52 = getelementptr double, ptr %arg.sums.4, i64 %.3414
  %.neg = add i64 %.2963.sroa.0.3, 1
  %53 = icmp eq i64 %.2963.sroa.13.0, %.neg
  br i1 %53, label %B1290.epil.preheader, label %B1290.lr.ph.new

B1290.lr.ph.new:                                  ; preds = %B1290.lr.ph
  %unroll_iter = and i64 %.3051, 9223372036854775806
  %54 = shl i64 %.2963.sroa.0.3, 3
  %scevgep13 = getelementptr i8, ptr %scevgep12, i64 %54
  br label %B1290
}
