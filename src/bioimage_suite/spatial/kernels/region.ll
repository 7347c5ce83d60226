; region: written by scripts.spatial_kernels with Numba 0.68.1. Do not edit.

define void @NRT_decref(ptr %0) {
  ret void
}

define void @NRT_incref(ptr %0) {
  ret void
}

declare i64 @llvm.abs.i64(i64, i1 immarg)

declare double @llvm.ceil.f64(double)

declare double @llvm.rint.f64(double)

declare i64 @llvm.smin.i64(i64, i64)

declare double @llvm.sqrt.f64(double)

define range(i32 -1, -2) i32 @kernel(ptr noalias writeonly %retptr, ptr noalias readnone %excinfo, ptr %arg.zs.0, ptr readnone %arg.zs.1, i64 %arg.zs.2, i64 %arg.zs.3, ptr readonly %arg.zs.4, i64 %arg.zs.5.0, i64 %arg.zs.6.0, ptr %arg.ys.0, ptr readnone %arg.ys.1, i64 %arg.ys.2, i64 %arg.ys.3, ptr readonly %arg.ys.4, i64 %arg.ys.5.0, i64 %arg.ys.6.0, ptr %arg.xs.0, ptr readnone %arg.xs.1, i64 %arg.xs.2, i64 %arg.xs.3, ptr readonly %arg.xs.4, i64 %arg.xs.5.0, i64 %arg.xs.6.0, ptr %arg.of_class.0, ptr readnone %arg.of_class.1, i64 %arg.of_class.2, i64 %arg.of_class.3, ptr readonly %arg.of_class.4, i64 %arg.of_class.5.0, i64 %arg.of_class.6.0, ptr %arg.starts.0, ptr readnone %arg.starts.1, i64 %arg.starts.2, i64 %arg.starts.3, ptr readonly %arg.starts.4, i64 %arg.starts.5.0, i64 %arg.starts.6.0, ptr %arg.offsets.0, ptr readnone %arg.offsets.1, i64 %arg.offsets.2, i64 %arg.offsets.3, ptr readonly %arg.offsets.4, i64 %arg.offsets.5.0, i64 %arg.offsets.5.1, i64 %arg.offsets.6.0, i64 %arg.offsets.6.1, ptr %arg.widths.0, ptr readnone %arg.widths.1, i64 %arg.widths.2, i64 %arg.widths.3, ptr readonly %arg.widths.4, i64 %arg.widths.5.0, i64 %arg.widths.6.0, i64 %arg.rows_y, double %arg.reach, double %arg.numbers.0, double %arg.numbers.1, double %arg.numbers.2, double %arg.numbers.3, double %arg.numbers.4, ptr %arg.table.0, ptr readnone %arg.table.1, i64 %arg.table.2, i64 %arg.table.3, ptr readonly %arg.table.4, i64 %arg.table.5.0, i64 %arg.table.5.1, i64 %arg.table.6.0, i64 %arg.table.6.1, ptr %arg.bins.0, ptr readnone %arg.bins.1, i64 %arg.bins.2, i64 %arg.bins.3, ptr %arg.bins.4, i64 %arg.bins.5.0, i64 %arg.bins.6.0, ptr %arg.weights.0, ptr readnone %arg.weights.1, i64 %arg.weights.2, i64 %arg.weights.3, ptr %arg.weights.4, i64 %arg.weights.5.0, i64 %arg.weights.5.1, i64 %arg.weights.6.0, i64 %arg.weights.6.1, ptr %arg.sums.0, ptr readnone %arg.sums.1, i64 %arg.sums.2, i64 %arg.sums.3, ptr %arg.sums.4, i64 %arg.sums.5.0, i64 %arg.sums.5.1, i64 %arg.sums.5.2, i64 %arg.sums.6.0, i64 %arg.sums.6.1, i64 %arg.sums.6.2) local_unnamed_addr {
B0.endif:
  tail call void @NRT_incref(ptr %arg.zs.0)
  tail call void @NRT_incref(ptr %arg.ys.0)
  tail call void @NRT_incref(ptr %arg.xs.0)
  tail call void @NRT_incref(ptr %arg.of_class.0)
  tail call void @NRT_incref(ptr %arg.starts.0)
  tail call void @NRT_incref(ptr %arg.offsets.0)
  tail call void @NRT_incref(ptr %arg.widths.0)
  tail call void @NRT_incref(ptr %arg.table.0)
  tail call void @NRT_incref(ptr %arg.bins.0)
  tail call void @NRT_incref(ptr %arg.weights.0)
  tail call void @NRT_incref(ptr %arg.sums.0)
  %.219 = add nsw i64 %arg.starts.5.0, -1
  tail call void @NRT_incref(ptr %arg.weights.0)
  %.424 = icmp slt i64 %arg.starts.5.0, 2
  %..219 = select i1 %.424, i64 0, i64 %.219
  %.4681531 = icmp sgt i64 %..219, 0
  br i1 %.4681531, label %B108.lr.ph, label %common.ret

B108.lr.ph:                                       ; preds = %B0.endif
  %.2395 = fdiv double 1.000000e+03, %arg.reach
  %.2396 = fmul double %arg.reach, %arg.reach
  %.3735 = mul i64 %arg.sums.5.2, %arg.sums.5.1
  %0 = tail call i64 @llvm.smin.i64(i64 %arg.rows_y, i64 0)
  %scevgep13 = getelementptr i8, ptr %arg.of_class.4, i64 8
  br label %B108

B104.loopexit:                                    ; preds = %B1782, %B108.endif.endif
  %exitcond1575.not = icmp eq i64 %.481, %..219
  br i1 %exitcond1575.not, label %common.ret, label %B108

B108:                                             ; preds = %B108.lr.ph, %B104.loopexit
  %.47415101538 = phi i64 [ 0, %B108.lr.ph ], [ %.481, %B104.loopexit ]
  %1 = icmp eq i64 %arg.rows_y, 0
  %.481 = add nuw nsw i64 %.47415101538, 1
  br i1 %1, label %B108.endif.endif, label %B108.else.if

B180:                                             ; preds = %B180.lr.ph, %B1782
  %.65214731499 = phi i64 [ 0, %B180.lr.ph ], [ %.659, %B1782 ]
  %.659 = add nuw nsw i64 %.65214731499, 1
  %.736 = mul i64 %.65214731499, %arg.offsets.5.1
  %.740 = getelementptr i64, ptr %arg.offsets.4, i64 %.736
  %.741 = load i64, ptr %.740, align 8
  %.743 = mul nsw i64 %.741, %arg.rows_y
  %.745 = add nsw i64 %.743, %.47415101538
  %.799 = getelementptr i8, ptr %.740, i64 8
  %.800 = load i64, ptr %.799, align 8
  %.801 = add nsw i64 %.745, %.800
  %.858 = add nsw i64 %.800, %rem.0
  %.867 = icmp sge i64 %.801, %.219
  %.870 = icmp slt i64 %.858, 0
  %or.cond = select i1 %.867, i1 true, i1 %.870
  %.874 = icmp sge i64 %.858, %arg.rows_y
  %or.cond1426 = select i1 %or.cond, i1 true, i1 %.874
  br i1 %or.cond1426, label %B1782, label %B300.endif

B418:                                             ; preds = %B418.lr.ph, %B1703
  %first.3.31465 = phi i64 [ %.915, %B418.lr.ph ], [ %spec.select, %B1703 ]
  %end.2.31464 = phi i64 [ %.915, %B418.lr.ph ], [ %end.3.4, %B1703 ]
  %.113114471463 = phi i64 [ %.1089, %B418.lr.ph ], [ %.1141, %B1703 ]
  %.113814481462 = phi i64 [ %.1020, %B418.lr.ph ], [ %.1145, %B1703 ]
  %.1141 = add nsw i64 %.113114471463, -1
  %.1145 = add i64 %.113814481462, 1
  %.1179 = icmp slt i64 %end.2.31464, %.980
  br i1 %.1179, label %B432, label %B562

B432:                                             ; preds = %B418
  %.1202 = icmp slt i64 %end.2.31464, 0
  %.1203 = select i1 %.1202, i64 %arg.xs.5.0, i64 0
  %2 = getelementptr double, ptr %arg.xs.4, i64 %end.2.31464
  %.1217 = getelementptr double, ptr %2, i64 %.1203
  %.1218 = load double, ptr %.1217, align 8
  %.1235 = icmp slt i64 %.113814481462, 0
  %.1236 = select i1 %.1235, i64 %arg.xs.5.0, i64 0
  %3 = getelementptr double, ptr %arg.xs.4, i64 %.113814481462
  %.1250 = getelementptr double, ptr %3, i64 %.1236
  %.1251 = load double, ptr %.1250, align 8
  %sunkaddr = mul i64 %.65214731499, 8
  %sunkaddr26 = getelementptr i8, ptr %arg.widths.4, i64 %sunkaddr
  %.1282 = load double, ptr %sunkaddr26, align 8
  %.1283 = fadd double %.1251, %.1282
  %.1284 = fcmp ugt double %.1218, %.1283
  br i1 %.1284, label %B562, label %B486.preheader

B486.preheader:                                   ; preds = %B432
  br label %B486

B486:                                             ; preds = %B486.preheader, %B508
  %end.4.5 = phi i64 [ %.1290, %B508 ], [ %end.2.31464, %B486.preheader ]
  %exitcond.not = icmp eq i64 %45, %end.4.5
  br i1 %exitcond.not, label %B562, label %B508

B508:                                             ; preds = %B486
  %.1290 = add i64 %end.4.5, 1
  %.1323 = icmp slt i64 %end.4.5, -1
  %.1324 = select i1 %.1323, i64 %arg.xs.5.0, i64 0
  %4 = shl i64 %.1324, 3
  %scevgep = getelementptr i8, ptr %arg.xs.4, i64 %4
  %5 = shl i64 %end.4.5, 3
  %scevgep3 = getelementptr i8, ptr %scevgep, i64 %5
  %scevgep4 = getelementptr i8, ptr %scevgep3, i64 8
  %.1339 = load double, ptr %scevgep4, align 8
  %.1405 = fcmp ugt double %.1339, %.1283
  br i1 %.1405, label %B562, label %B486

B562:                                             ; preds = %B486, %B508, %B432, %B418
  %end.3.4 = phi i64 [ %end.2.31464, %B432 ], [ %end.2.31464, %B418 ], [ %.980, %B486 ], [ %.1290, %B508 ]
  %.1424 = icmp slt i64 %first.3.31465, %end.3.4
  br i1 %.1424, label %B574, label %B704

B574:                                             ; preds = %B562
  %.1447 = icmp slt i64 %first.3.31465, 0
  %.1448 = select i1 %.1447, i64 %arg.xs.5.0, i64 0
  %6 = getelementptr double, ptr %arg.xs.4, i64 %first.3.31465
  %.1462 = getelementptr double, ptr %6, i64 %.1448
  %.1463 = load double, ptr %.1462, align 8
  %.1480 = icmp slt i64 %.113814481462, 0
  %.1481 = select i1 %.1480, i64 %arg.xs.5.0, i64 0
  %7 = getelementptr double, ptr %arg.xs.4, i64 %.113814481462
  %.1495 = getelementptr double, ptr %7, i64 %.1481
  %.1496 = load double, ptr %.1495, align 8
  %sunkaddr27 = mul i64 %.65214731499, 8
  %sunkaddr28 = getelementptr i8, ptr %arg.widths.4, i64 %sunkaddr27
  %.1527 = load double, ptr %sunkaddr28, align 8
  %.1528 = fsub double %.1496, %.1527
  %.1529 = fcmp olt double %.1463, %.1528
  br i1 %.1529, label %B628.preheader, label %B704

B628.preheader:                                   ; preds = %B574
  %8 = add i64 %end.3.4, -1
  br label %B628

B628:                                             ; preds = %B628.preheader, %B650
  %first.6.5 = phi i64 [ %.1535, %B650 ], [ %first.3.31465, %B628.preheader ]
  %exitcond1571.not = icmp eq i64 %8, %first.6.5
  br i1 %exitcond1571.not, label %B704, label %B650

B650:                                             ; preds = %B628
  %.1535 = add i64 %first.6.5, 1
  %.1568 = icmp slt i64 %first.6.5, -1
  %.1569 = select i1 %.1568, i64 %arg.xs.5.0, i64 0
  %9 = shl i64 %.1569, 3
  %scevgep5 = getelementptr i8, ptr %arg.xs.4, i64 %9
  %10 = shl i64 %first.6.5, 3
  %scevgep6 = getelementptr i8, ptr %scevgep5, i64 %10
  %scevgep7 = getelementptr i8, ptr %scevgep6, i64 8
  %.1584 = load double, ptr %scevgep7, align 8
  %.1650 = fcmp olt double %.1584, %.1528
  br i1 %.1650, label %B628, label %B704

B704:                                             ; preds = %B628, %B650, %B562, %B574
  %first.5.4 = phi i64 [ %first.3.31465, %B574 ], [ %first.3.31465, %B562 ], [ %end.3.4, %B628 ], [ %.1535, %B650 ]
  %11 = icmp eq i64 %.65214731499, 0
  %spec.select = select i1 %11, i64 %.1145, i64 %first.5.4
  %.1692 = icmp slt i64 %.113814481462, 0
  %.1693 = select i1 %.1692, i64 %arg.zs.5.0, i64 0
  %12 = getelementptr double, ptr %arg.zs.4, i64 %.113814481462
  %.1707 = getelementptr double, ptr %12, i64 %.1693
  %.1708 = load double, ptr %.1707, align 8
  %.1724 = select i1 %.1692, i64 %arg.ys.5.0, i64 0
  %13 = getelementptr double, ptr %arg.ys.4, i64 %.113814481462
  %.1738 = getelementptr double, ptr %13, i64 %.1724
  %.1739 = load double, ptr %.1738, align 8
  %.1755 = select i1 %.1692, i64 %arg.xs.5.0, i64 0
  %14 = getelementptr double, ptr %arg.xs.4, i64 %.113814481462
  %.1769 = getelementptr double, ptr %14, i64 %.1755
  %.1770 = load double, ptr %.1769, align 8
  %.1809 = icmp slt i64 %spec.select, 0
  %.1810 = select i1 %.1809, i64 %arg.zs.5.0, i64 0
  %.1811 = add i64 %.1810, %spec.select
  %.1814 = icmp slt i64 %.1811, 0
  br i1 %.1814, label %B726.else.if, label %B726.else.endif

B920:                                             ; preds = %B920.preheader, %B1639.endif.endif
  %.250314351437 = phi i64 [ %.2510, %B1639.endif.endif ], [ 0, %B920.preheader ]
  %.2510 = add nuw nsw i64 %.250314351437, 1
  %15 = shl i64 %.250314351437, 3
  %scevgep12 = getelementptr i8, ptr %.1912, i64 %15
  %.2568 = load double, ptr %scevgep12, align 8
  %.2570 = fsub double %.2568, %.1708
  %16 = shl i64 %.250314351437, 3
  %scevgep11 = getelementptr i8, ptr %.2085, i64 %16
  %.2601 = load double, ptr %scevgep11, align 8
  %.2603 = fsub double %.2601, %.1739
  %17 = shl i64 %.250314351437, 3
  %scevgep10 = getelementptr i8, ptr %.2258, i64 %17
  %.2634 = load double, ptr %scevgep10, align 8
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
  %18 = shl i64 %.250314351437, 3
  %scevgep9 = getelementptr i8, ptr %arg.bins.4, i64 %18
  %.2770 = fptoui double %_weighing_runs__locals__weigh_run_v2__vphi372_1.2.5 to i64
  store i64 %.2770, ptr %scevgep9, align 8
  tail call void @NRT_incref(ptr %arg.table.0)
  %.2830 = fdiv double %.2603, %arg.numbers.0
  %.2831 = tail call double @llvm.rint.f64(double %.2830)
  %.2832 = fptosi double %.2831 to i64
  %.2835 = tail call i64 @llvm.abs.i64(i64 %.2832, i1 false)
  %.2842 = fdiv double %.2636, %arg.numbers.1
  %.2843 = tail call double @llvm.rint.f64(double %.2842)
  %.2844 = fptosi double %.2843 to i64
  %.2847 = tail call i64 @llvm.abs.i64(i64 %.2844, i1 false)
  %.2909 = load double, ptr %arg.table.4, align 8
  %.2925 = sitofp i64 %.2835 to double
  %.2926 = fcmp ogt double %arg.numbers.2, %.2925
  %.2943 = sitofp i64 %.2847 to double
  %.2944 = fcmp ogt double %arg.numbers.3, %.2943
  %or.cond1433 = select i1 %.2926, i1 %.2944, i1 false
  br i1 %or.cond1433, label %B1286, label %B1639.endif.endif

B1286:                                            ; preds = %B1250
  %.2950 = fcmp olt double %.2603, 0.000000e+00
  %.2955 = fcmp olt double %.2636, 0.000000e+00
  %.2958 = xor i1 %.2950, %.2955
  %.2988 = sub i64 0, %.2847
  %spec.select1427 = select i1 %.2958, i64 %.2988, i64 %.2847
  %.3031 = icmp slt i64 %.2835, 0
  %.3032 = select i1 %.3031, i64 %arg.table.5.0, i64 0
  %.3033 = add i64 %.3032, %.2835
  %.3034 = icmp slt i64 %spec.select1427, 0
  %.3035 = select i1 %.3034, i64 %arg.table.5.1, i64 0
  %.3053 = mul i64 %.3033, %arg.table.5.1
  %19 = getelementptr double, ptr %arg.table.4, i64 %.3053
  %20 = getelementptr double, ptr %19, i64 %spec.select1427
  %.3057 = getelementptr double, ptr %20, i64 %.3035
  %.3058 = load double, ptr %.3057, align 8
  tail call void @NRT_decref(ptr %arg.table.0)
  br label %B1639.endif.endif

B1701:                                            ; preds = %B1701, %B1701.lr.ph.new
  %.358614411443 = phi i64 [ 0, %B1701.lr.ph.new ], [ %.3593.1, %B1701 ]
  %21 = shl i64 %.358614411443, 3
  %scevgep16 = getelementptr i8, ptr %scevgep14, i64 %21
  %scevgep17 = getelementptr i8, ptr %scevgep16, i64 -8
  %.3647 = load i64, ptr %scevgep17, align 8
  %sunkaddr29 = mul i64 %.358614411443, 8
  %sunkaddr30 = getelementptr i8, ptr %arg.bins.4, i64 %sunkaddr29
  %.3677 = load i64, ptr %sunkaddr30, align 8
  %.3711 = icmp slt i64 %.3647, 0
  %.3712 = select i1 %.3711, i64 %arg.sums.5.1, i64 0
  %.3713 = add i64 %.3712, %.3647
  %.3739 = mul i64 %.3713, %arg.sums.5.2
  %22 = getelementptr double, ptr %54, i64 %.3739
  %.3743 = getelementptr double, ptr %22, i64 %.3677
  %.3744 = load double, ptr %.3743, align 8
  %sunkaddr31 = mul i64 %.358614411443, 8
  %sunkaddr32 = getelementptr i8, ptr %arg.weights.4, i64 %sunkaddr31
  %.3774 = load double, ptr %sunkaddr32, align 8
  %.3775 = fadd double %.3744, %.3774
  store double %.3775, ptr %.3743, align 8
  %.3593.1 = add nuw i64 %.358614411443, 2
  %23 = shl i64 %.358614411443, 3
  %scevgep15 = getelementptr i8, ptr %scevgep14, i64 %23
  %.3647.1 = load i64, ptr %scevgep15, align 8
  %sunkaddr33 = mul i64 %.358614411443, 8
  %sunkaddr34 = getelementptr i8, ptr %arg.bins.4, i64 %sunkaddr33
  %sunkaddr35 = getelementptr i8, ptr %sunkaddr34, i64 8
  %.3677.1 = load i64, ptr %sunkaddr35, align 8
  %.3711.1 = icmp slt i64 %.3647.1, 0
  %.3712.1 = select i1 %.3711.1, i64 %arg.sums.5.1, i64 0
  %.3713.1 = add i64 %.3712.1, %.3647.1
  %.3739.1 = mul i64 %.3713.1, %arg.sums.5.2
  %24 = getelementptr double, ptr %54, i64 %.3739.1
  %.3743.1 = getelementptr double, ptr %24, i64 %.3677.1
  %.3744.1 = load double, ptr %.3743.1, align 8
  %sunkaddr36 = mul i64 %.358614411443, 8
  %sunkaddr37 = getelementptr i8, ptr %arg.weights.4, i64 %sunkaddr36
  %sunkaddr38 = getelementptr i8, ptr %sunkaddr37, i64 8
  %.3774.1 = load double, ptr %sunkaddr38, align 8
  %.3775.1 = fadd double %.3744.1, %.3774.1
  store double %.3775.1, ptr %.3743.1, align 8
  %niter.ncmp.1 = icmp eq i64 %unroll_iter, %.3593.1
  br i1 %niter.ncmp.1, label %B1703.loopexit.unr-lcssa, label %B1701

B1703.loopexit.unr-lcssa:                         ; preds = %B1701
  %25 = and i64 %.3374, 1
  %lcmp.mod.not = icmp eq i64 %25, 0
  br i1 %lcmp.mod.not, label %B1703, label %B1701.epil.preheader

B1701.epil.preheader:                             ; preds = %B1703.loopexit.unr-lcssa, %B1701.lr.ph
  %.358614411443.epil.init = phi i64 [ 0, %B1701.lr.ph ], [ %.3593.1, %B1703.loopexit.unr-lcssa ]
  %26 = getelementptr i64, ptr %.3399, i64 %.358614411443.epil.init
  %.3647.epil = load i64, ptr %26, align 8
  %27 = getelementptr i64, ptr %arg.bins.4, i64 %.358614411443.epil.init
  %.3677.epil = load i64, ptr %27, align 8
  %.3711.epil = icmp slt i64 %.3647.epil, 0
  %.3712.epil = select i1 %.3711.epil, i64 %arg.sums.5.1, i64 0
  %.3713.epil = add i64 %.3712.epil, %.3647.epil
  %.3739.epil = mul i64 %.3713.epil, %arg.sums.5.2
  %28 = getelementptr double, ptr %54, i64 %.3739.epil
  %.3743.epil = getelementptr double, ptr %28, i64 %.3677.epil
  %.3744.epil = load double, ptr %.3743.epil, align 8
  %29 = getelementptr double, ptr %arg.weights.4, i64 %.358614411443.epil.init
  %.3774.epil = load double, ptr %29, align 8
  %.3775.epil = fadd double %.3744.epil, %.3774.epil
  store double %.3775.epil, ptr %.3743.epil, align 8
  br label %B1703

B1703:                                            ; preds = %B1701.epil.preheader, %B1703.loopexit.unr-lcssa, %B1663.endif.endif
  %.1132 = icmp sgt i64 %.113114471463, 1
  br i1 %.1132, label %B418, label %B1782

B1782:                                            ; preds = %B1703, %B300.endif, %B180
  %exitcond1574.not = icmp eq i64 %arg.offsets.5.0, %.659
  br i1 %exitcond1574.not, label %B104.loopexit, label %B180

common.ret:                                       ; preds = %B104.loopexit, %B0.endif
  tail call void @NRT_decref(ptr %arg.zs.0)
  tail call void @NRT_decref(ptr %arg.ys.0)
  tail call void @NRT_decref(ptr %arg.xs.0)
  tail call void @NRT_decref(ptr %arg.widths.0)
  tail call void @NRT_decref(ptr %arg.weights.0)
  tail call void @NRT_decref(ptr %arg.table.0)
  tail call void @NRT_decref(ptr %arg.sums.0)
  tail call void @NRT_decref(ptr %arg.starts.0)
  tail call void @NRT_decref(ptr %arg.offsets.0)
  tail call void @NRT_decref(ptr %arg.of_class.0)
  tail call void @NRT_decref(ptr %arg.bins.0)
  tail call void @NRT_decref(ptr %arg.weights.0)
  store ptr null, ptr %retptr, align 8
  ret i32 0

B108.else.if:                                     ; preds = %B108
  %30 = or i64 %.47415101538, %arg.rows_y
  %31 = and i64 %30, -4294967296
  %32 = icmp eq i64 %31, 0
  br i1 %32, label %33, label %38

33:                                               ; preds = %B108.else.if
  %34 = trunc i64 %arg.rows_y to i32
  %35 = trunc i64 %.47415101538 to i32
  %36 = urem i32 %35, %34
  %37 = zext i32 %36 to i64
  br label %40

38:                                               ; preds = %B108.else.if
  %39 = srem i64 %.47415101538, %arg.rows_y
  br label %40

40:                                               ; preds = %38, %33
  %41 = phi i64 [ %37, %33 ], [ %39, %38 ]
  %.533.not = icmp eq i64 %41, 0
  %.541 = select i1 %.533.not, i64 0, i64 %0
  %spec.select1428 = add nsw i64 %.541, %41
  br label %B108.endif.endif

B108.endif.endif:                                 ; preds = %40, %B108
  %rem.0 = phi i64 [ 0, %B108 ], [ %spec.select1428, %40 ]
  %42 = icmp slt i64 %arg.offsets.5.0, 1
  br i1 %42, label %B104.loopexit, label %B180.lr.ph

B180.lr.ph:                                       ; preds = %B108.endif.endif
  br label %B180

B300.endif:                                       ; preds = %B180
  %.964 = icmp slt i64 %.801, -1
  %.965 = select i1 %.964, i64 %arg.starts.5.0, i64 0
  %43 = getelementptr i64, ptr %arg.starts.4, i64 %.801
  %44 = getelementptr i8, ptr %43, i64 8
  %.979 = getelementptr i64, ptr %44, i64 %.965
  %.980 = load i64, ptr %.979, align 8
  %sunkaddr39 = mul i64 %.47415101538, 8
  %sunkaddr40 = getelementptr i8, ptr %arg.starts.4, i64 %sunkaddr39
  %.1020 = load i64, ptr %sunkaddr40, align 8
  %sunkaddr41 = mul i64 %.47415101538, 8
  %sunkaddr42 = getelementptr i8, ptr %arg.starts.4, i64 %sunkaddr41
  %sunkaddr43 = getelementptr i8, ptr %sunkaddr42, i64 8
  %.1052 = load i64, ptr %sunkaddr43, align 8
  %.1089 = sub i64 %.1052, %.1020
  %.11321459.not = icmp slt i64 %.1089, 1
  br i1 %.11321459.not, label %B1782, label %B418.lr.ph

B418.lr.ph:                                       ; preds = %B300.endif
  %.899 = icmp slt i64 %.801, 0
  %.900 = select i1 %.899, i64 %arg.starts.5.0, i64 0
  %.914 = getelementptr i64, ptr %43, i64 %.900
  %.915 = load i64, ptr %.914, align 8
  %45 = add i64 %.980, -1
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
  %46 = icmp slt i64 %spec.select, 0
  %.1912 = getelementptr double, ptr %arg.zs.4, i64 %.1799.sroa.0.3
  tail call void @NRT_incref(ptr %arg.zs.0)
  %.1983 = select i1 %46, i64 %arg.ys.5.0, i64 0
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
  %47 = icmp slt i64 %spec.select, 0
  %.2085 = getelementptr double, ptr %arg.ys.4, i64 %.1972.sroa.0.3
  tail call void @NRT_incref(ptr %arg.ys.0)
  %.2156 = select i1 %47, i64 %arg.xs.5.0, i64 0
  %.2157 = add i64 %.2156, %spec.select
  %.2160 = icmp slt i64 %.2157, 0
  br i1 %.2160, label %B726.endif.endif.else.if, label %B726.endif.endif.else.endif

B726.endif.endif.endif:                           ; preds = %B726.endif.endif.else.endif.endif.endif, %B726.endif.endif.else.endif.endif.endif.if
  %.2145.sroa.13.0 = phi i64 [ %.2145.sroa.13.1, %B726.endif.endif.else.endif.endif.endif ], [ %arg.xs.5.0, %B726.endif.endif.else.endif.endif.endif.if ]
  %.2233 = sub i64 %.2145.sroa.13.0, %.2145.sroa.0.3
  %.2258 = getelementptr double, ptr %arg.xs.4, i64 %.2145.sroa.0.3
  tail call void @NRT_incref(ptr %arg.xs.0)
  tail call void @NRT_incref(ptr %arg.table.0)
  tail call void @NRT_incref(ptr %arg.bins.0)
  tail call void @NRT_incref(ptr %arg.weights.0)
  %.24971436.not = icmp slt i64 %.2233, 1
  br i1 %.24971436.not, label %B1663.else, label %B920.preheader

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
  %48 = icmp slt i64 %end.3.4, 0
  %.2173 = select i1 %48, i64 %arg.xs.5.0, i64 0
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

B1639.endif.endif:                                ; preds = %B1286, %B1250
  %_weighing_runs__locals__weigh_run_v2_translation_in_region_v3_table.sroa.0.5 = phi ptr [ null, %B1286 ], [ %arg.table.0, %B1250 ]
  %_weighing_runs__locals__weigh_run_v2_translation_in_region_v3_overlap.2.5 = phi double [ %.3058, %B1286 ], [ 0.000000e+00, %B1250 ]
  tail call void @NRT_decref(ptr %_weighing_runs__locals__weigh_run_v2_translation_in_region_v3_table.sroa.0.5)
  %.3096 = fmul double %.2909, 1.000000e-02
  %.12.i = fcmp ogt double %.3096, %_weighing_runs__locals__weigh_run_v2_translation_in_region_v3_overlap.2.5
  %.13.i = select i1 %.12.i, double %.3096, double %_weighing_runs__locals__weigh_run_v2_translation_in_region_v3_overlap.2.5
  %.3132 = fdiv double %.2909, %.13.i
  %49 = shl i64 %.250314351437, 3
  %scevgep8 = getelementptr i8, ptr %arg.weights.4, i64 %49
  store double %.3132, ptr %scevgep8, align 8
  %exitcond1572.not = icmp eq i64 %.2233, %.2510
  br i1 %exitcond1572.not, label %B1663.else, label %B920

B1663.else:                                       ; preds = %B1639.endif.endif, %B726.endif.endif.endif
  %50 = icmp slt i64 %spec.select, 0
  %51 = icmp slt i64 %.113814481462, 0
  tail call void @NRT_decref(ptr %arg.zs.0)
  tail call void @NRT_decref(ptr %arg.ys.0)
  tail call void @NRT_decref(ptr %arg.xs.0)
  tail call void @NRT_decref(ptr %arg.weights.0)
  tail call void @NRT_decref(ptr %arg.table.0)
  tail call void @NRT_decref(ptr %arg.bins.0)
  %.3240 = select i1 %51, i64 %arg.of_class.5.0, i64 0
  %52 = getelementptr i64, ptr %arg.of_class.4, i64 %.113814481462
  %.3254 = getelementptr i64, ptr %52, i64 %.3240
  %.3255 = load i64, ptr %.3254, align 8
  %.3297 = select i1 %50, i64 %arg.of_class.5.0, i64 0
  %.3298 = add i64 %.3297, %spec.select
  %.3301 = icmp slt i64 %.3298, 0
  br i1 %.3301, label %B1663.else.if, label %B1663.else.endif

B1663.else.if:                                    ; preds = %B1663.else
  br label %B1663.else.endif

B1663.else.endif:                                 ; preds = %B1663.else.if, %B1663.else
  %.3286.sroa.0.1 = phi i64 [ 0, %B1663.else.if ], [ %.3298, %B1663.else ]
  %.3306.not = icmp slt i64 %.3298, %arg.of_class.5.0
  br i1 %.3306.not, label %B1663.else.endif.endif, label %B1663.else.endif.if

B1663.else.endif.if:                              ; preds = %B1663.else.endif
  br label %B1663.else.endif.endif

B1663.else.endif.endif:                           ; preds = %B1663.else.endif.if, %B1663.else.endif
  %.3286.sroa.0.3 = phi i64 [ %arg.of_class.5.0, %B1663.else.endif.if ], [ %.3286.sroa.0.1, %B1663.else.endif ]
  %53 = icmp slt i64 %end.3.4, 0
  %.3314 = select i1 %53, i64 %arg.of_class.5.0, i64 0
  %.3315 = add i64 %.3314, %end.3.4
  %.3318 = icmp slt i64 %.3315, 0
  br i1 %.3318, label %B1663.else.endif.endif.if, label %B1663.else.endif.endif.endif

B1663.else.endif.endif.if:                        ; preds = %B1663.else.endif.endif
  br label %B1663.else.endif.endif.endif

B1663.else.endif.endif.endif:                     ; preds = %B1663.else.endif.endif.if, %B1663.else.endif.endif
  %.3286.sroa.13.1 = phi i64 [ 0, %B1663.else.endif.endif.if ], [ %.3315, %B1663.else.endif.endif ]
  %.3323.not = icmp slt i64 %.3315, %arg.of_class.5.0
  br i1 %.3323.not, label %B1663.endif.endif, label %B1663.else.endif.endif.endif.if

B1663.else.endif.endif.endif.if:                  ; preds = %B1663.else.endif.endif.endif
  br label %B1663.endif.endif

B1663.endif.endif:                                ; preds = %B1663.else.endif.endif.endif.if, %B1663.else.endif.endif.endif
  %.3286.sroa.13.0 = phi i64 [ %.3286.sroa.13.1, %B1663.else.endif.endif.endif ], [ %arg.of_class.5.0, %B1663.else.endif.endif.endif.if ]
  %.3374 = sub i64 %.3286.sroa.13.0, %.3286.sroa.0.3
  %.3399 = getelementptr i64, ptr %arg.of_class.4, i64 %.3286.sroa.0.3
  %.35801442.not = icmp slt i64 %.3374, 1
  br i1 %.35801442.not, label %B1703, label %B1701.lr.ph

B1701.lr.ph:                                      ; preds = %B1663.endif.endif
  %.3708 = icmp slt i64 %.3255, 0
  %.3709 = select i1 %.3708, i64 %arg.sums.5.0, i64 0
  %.3710 = add i64 %.3709, %.3255
  %.3737 = mul i64 %.3735, %.3710
  %54 = getelementptr double, ptr %arg.sums.4, i64 %.3737
  %.neg = add i64 %.3286.sroa.0.3, 1
  %55 = icmp eq i64 %.3286.sroa.13.0, %.neg
  br i1 %55, label %B1701.epil.preheader, label %B1701.lr.ph.new

B1701.lr.ph.new:                                  ; preds = %B1701.lr.ph
  %unroll_iter = and i64 %.3374, 9223372036854775806
  %56 = shl i64 %.3286.sroa.0.3, 3
  %scevgep14 = getelementptr i8, ptr %scevgep13, i64 %56
  br label %B1701
}
