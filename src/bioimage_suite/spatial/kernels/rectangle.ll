; rectangle: written by scripts.spatial_kernels with Numba 0.68.1. Do not edit.

declare double @acos(double) local_unnamed_addr

declare double @atan2(double, double) local_unnamed_addr

declare double @llvm.ceil.f64(double)

declare i64 @llvm.smin.i64(i64, i64)

declare double @llvm.sqrt.f64(double)

define range(i32 -1, -2) i32 @kernel(ptr noalias writeonly %retptr, ptr noalias readnone %excinfo, ptr %arg.zs.0, ptr readnone %arg.zs.1, i64 %arg.zs.2, i64 %arg.zs.3, ptr readonly %arg.zs.4, i64 %arg.zs.5.0, i64 %arg.zs.6.0, ptr %arg.ys.0, ptr readnone %arg.ys.1, i64 %arg.ys.2, i64 %arg.ys.3, ptr readonly %arg.ys.4, i64 %arg.ys.5.0, i64 %arg.ys.6.0, ptr %arg.xs.0, ptr readnone %arg.xs.1, i64 %arg.xs.2, i64 %arg.xs.3, ptr readonly %arg.xs.4, i64 %arg.xs.5.0, i64 %arg.xs.6.0, ptr %arg.of_class.0, ptr readnone %arg.of_class.1, i64 %arg.of_class.2, i64 %arg.of_class.3, ptr readonly %arg.of_class.4, i64 %arg.of_class.5.0, i64 %arg.of_class.6.0, ptr %arg.starts.0, ptr readnone %arg.starts.1, i64 %arg.starts.2, i64 %arg.starts.3, ptr readonly %arg.starts.4, i64 %arg.starts.5.0, i64 %arg.starts.6.0, ptr %arg.offsets.0, ptr readnone %arg.offsets.1, i64 %arg.offsets.2, i64 %arg.offsets.3, ptr readonly %arg.offsets.4, i64 %arg.offsets.5.0, i64 %arg.offsets.5.1, i64 %arg.offsets.6.0, i64 %arg.offsets.6.1, ptr %arg.widths.0, ptr readnone %arg.widths.1, i64 %arg.widths.2, i64 %arg.widths.3, ptr readonly %arg.widths.4, i64 %arg.widths.5.0, i64 %arg.widths.6.0, i64 %arg.rows_y, double %arg.reach, double %arg.numbers.0, double %arg.numbers.1, double %arg.numbers.2, double %arg.numbers.3, double %arg.numbers.4, ptr %arg.table.0, ptr readnone %arg.table.1, i64 %arg.table.2, i64 %arg.table.3, ptr readnone %arg.table.4, i64 %arg.table.5.0, i64 %arg.table.5.1, i64 %arg.table.6.0, i64 %arg.table.6.1, ptr %arg.bins.0, ptr readnone %arg.bins.1, i64 %arg.bins.2, i64 %arg.bins.3, ptr %arg.bins.4, i64 %arg.bins.5.0, i64 %arg.bins.6.0, ptr %arg.weights.0, ptr readnone %arg.weights.1, i64 %arg.weights.2, i64 %arg.weights.3, ptr %arg.weights.4, i64 %arg.weights.5.0, i64 %arg.weights.5.1, i64 %arg.weights.6.0, i64 %arg.weights.6.1, ptr %arg.sums.0, ptr readnone %arg.sums.1, i64 %arg.sums.2, i64 %arg.sums.3, ptr %arg.sums.4, i64 %arg.sums.5.0, i64 %arg.sums.5.1, i64 %arg.sums.5.2, i64 %arg.sums.6.0, i64 %arg.sums.6.1, i64 %arg.sums.6.2) local_unnamed_addr {
B0.endif:
  %.219 = add nsw i64 %arg.starts.5.0, -1
  %.328 = getelementptr double, ptr %arg.weights.4, i64 %arg.weights.5.1
  %.424 = icmp slt i64 %arg.starts.5.0, 2
  %..219 = select i1 %.424, i64 0, i64 %.219
  %.4682533 = icmp sgt i64 %..219, 0
  br i1 %.4682533, label %B108.lr.ph, label %common.ret

B108.lr.ph:                                       ; preds = %B0.endif
  %.2398 = fdiv double 1.000000e+03, %arg.reach
  %.2399 = fmul double %arg.reach, %arg.reach
  %.4707 = mul i64 %arg.sums.5.2, %arg.sums.5.1
  %0 = tail call i64 @llvm.smin.i64(i64 %arg.rows_y, i64 0)
  br label %B108

B104.loopexit:                                    ; preds = %B3220, %B108.endif.endif
  %exitcond3325.not = icmp eq i64 %.481, %..219
  br i1 %exitcond3325.not, label %common.ret, label %B108

B108:                                             ; preds = %B108.lr.ph, %B104.loopexit
  %.47423182542 = phi i64 [ 0, %B108.lr.ph ], [ %.481, %B104.loopexit ]
  %1 = icmp eq i64 %arg.rows_y, 0
  %.481 = add nuw nsw i64 %.47423182542, 1
  br i1 %1, label %B108.endif.endif, label %B108.else.if

B180:                                             ; preds = %B180.lr.ph, %B3220
  %.65220792286 = phi i64 [ 0, %B180.lr.ph ], [ %.659, %B3220 ]
  %.659 = add nuw nsw i64 %.65220792286, 1
  %.736 = mul i64 %.65220792286, %arg.offsets.5.1
  %.740 = getelementptr i64, ptr %arg.offsets.4, i64 %.736
  %.741 = load i64, ptr %.740, align 8
  %.743 = mul nsw i64 %.741, %arg.rows_y
  %.745 = add nsw i64 %.743, %.47423182542
  %.799 = getelementptr i8, ptr %.740, i64 8
  %.800 = load i64, ptr %.799, align 8
  %.801 = add nsw i64 %.745, %.800
  %.858 = add nsw i64 %.800, %rem.0
  %.867 = icmp sge i64 %.801, %.219
  %.870 = icmp slt i64 %.858, 0
  %or.cond = select i1 %.867, i1 true, i1 %.870
  %.874 = icmp sge i64 %.858, %arg.rows_y
  %or.cond1636 = select i1 %or.cond, i1 true, i1 %.874
  br i1 %or.cond1636, label %B3220, label %B300.endif

B418:                                             ; preds = %B418.lr.ph, %B2921
  %first.3.32050 = phi i64 [ %.915, %B418.lr.ph ], [ %spec.select, %B2921 ]
  %end.2.32049 = phi i64 [ %.915, %B418.lr.ph ], [ %end.3.4, %B2921 ]
  %.113118932048 = phi i64 [ %.1089, %B418.lr.ph ], [ %.1141, %B2921 ]
  %.113819132047 = phi i64 [ %.1020, %B418.lr.ph ], [ %.1145, %B2921 ]
  %.1141 = add nsw i64 %.113118932048, -1
  %.1145 = add i64 %.113819132047, 1
  %.1179 = icmp slt i64 %end.2.32049, %.980
  br i1 %.1179, label %B432, label %B562

B432:                                             ; preds = %B418
  %.1202 = icmp slt i64 %end.2.32049, 0
  %.1203 = select i1 %.1202, i64 %arg.xs.5.0, i64 0
  %2 = getelementptr double, ptr %arg.xs.4, i64 %end.2.32049
  %.1217 = getelementptr double, ptr %2, i64 %.1203
  %.1218 = load double, ptr %.1217, align 8
  %.1235 = icmp slt i64 %.113819132047, 0
  %.1236 = select i1 %.1235, i64 %arg.xs.5.0, i64 0
  %3 = getelementptr double, ptr %arg.xs.4, i64 %.113819132047
  %.1250 = getelementptr double, ptr %3, i64 %.1236
  %.1251 = load double, ptr %.1250, align 8
  %sunkaddr = mul i64 %.65220792286, 8
  %sunkaddr212 = getelementptr i8, ptr %arg.widths.4, i64 %sunkaddr
  %.1282 = load double, ptr %sunkaddr212, align 8
  %.1283 = fadd double %.1251, %.1282
  %.1284 = fcmp ugt double %.1218, %.1283
  br i1 %.1284, label %B562, label %B486.preheader

B486.preheader:                                   ; preds = %B432
  br label %B486

B486:                                             ; preds = %B486.preheader, %B508
  %end.4.5 = phi i64 [ %.1290, %B508 ], [ %end.2.32049, %B486.preheader ]
  %exitcond.not = icmp eq i64 %38, %end.4.5
  br i1 %exitcond.not, label %B562, label %B508

B508:                                             ; preds = %B486
  %.1290 = add i64 %end.4.5, 1
  %.1323 = icmp slt i64 %end.4.5, -1
  %.1324 = select i1 %.1323, i64 %arg.xs.5.0, i64 0
  %4 = shl i64 %.1324, 3
  %scevgep = getelementptr i8, ptr %arg.xs.4, i64 %4
  %5 = shl i64 %end.4.5, 3
  %scevgep197 = getelementptr i8, ptr %scevgep, i64 %5
  %scevgep198 = getelementptr i8, ptr %scevgep197, i64 8
  %.1339 = load double, ptr %scevgep198, align 8
  %.1405 = fcmp ugt double %.1339, %.1283
  br i1 %.1405, label %B562, label %B486

B562:                                             ; preds = %B486, %B508, %B432, %B418
  %end.3.4 = phi i64 [ %end.2.32049, %B432 ], [ %end.2.32049, %B418 ], [ %.980, %B486 ], [ %.1290, %B508 ]
  %.1424 = icmp slt i64 %first.3.32050, %end.3.4
  br i1 %.1424, label %B574, label %B704

B574:                                             ; preds = %B562
  %.1447 = icmp slt i64 %first.3.32050, 0
  %.1448 = select i1 %.1447, i64 %arg.xs.5.0, i64 0
  %6 = getelementptr double, ptr %arg.xs.4, i64 %first.3.32050
  %.1462 = getelementptr double, ptr %6, i64 %.1448
  %.1463 = load double, ptr %.1462, align 8
  %.1480 = icmp slt i64 %.113819132047, 0
  %.1481 = select i1 %.1480, i64 %arg.xs.5.0, i64 0
  %7 = getelementptr double, ptr %arg.xs.4, i64 %.113819132047
  %.1495 = getelementptr double, ptr %7, i64 %.1481
  %.1496 = load double, ptr %.1495, align 8
  %sunkaddr213 = mul i64 %.65220792286, 8
  %sunkaddr214 = getelementptr i8, ptr %arg.widths.4, i64 %sunkaddr213
  %.1527 = load double, ptr %sunkaddr214, align 8
  %.1528 = fsub double %.1496, %.1527
  %.1529 = fcmp olt double %.1463, %.1528
  br i1 %.1529, label %B628.preheader, label %B704

B628.preheader:                                   ; preds = %B574
  %8 = add i64 %end.3.4, -1
  br label %B628

B628:                                             ; preds = %B628.preheader, %B650
  %first.6.5 = phi i64 [ %.1535, %B650 ], [ %first.3.32050, %B628.preheader ]
  %exitcond3315.not = icmp eq i64 %8, %first.6.5
  br i1 %exitcond3315.not, label %B704, label %B650

B650:                                             ; preds = %B628
  %.1535 = add i64 %first.6.5, 1
  %.1568 = icmp slt i64 %first.6.5, -1
  %.1569 = select i1 %.1568, i64 %arg.xs.5.0, i64 0
  %9 = shl i64 %.1569, 3
  %scevgep199 = getelementptr i8, ptr %arg.xs.4, i64 %9
  %10 = shl i64 %first.6.5, 3
  %scevgep200 = getelementptr i8, ptr %scevgep199, i64 %10
  %scevgep201 = getelementptr i8, ptr %scevgep200, i64 8
  %.1584 = load double, ptr %scevgep201, align 8
  %.1650 = fcmp olt double %.1584, %.1528
  br i1 %.1650, label %B628, label %B704

B704:                                             ; preds = %B628, %B650, %B562, %B574
  %first.5.4 = phi i64 [ %first.3.32050, %B574 ], [ %first.3.32050, %B562 ], [ %end.3.4, %B628 ], [ %.1535, %B650 ]
  %11 = icmp eq i64 %.65220792286, 0
  %spec.select = select i1 %11, i64 %.1145, i64 %first.5.4
  %.1692 = icmp slt i64 %.113819132047, 0
  %.1693 = select i1 %.1692, i64 %arg.zs.5.0, i64 0
  %12 = getelementptr double, ptr %arg.zs.4, i64 %.113819132047
  %.1707 = getelementptr double, ptr %12, i64 %.1693
  %.1708 = load double, ptr %.1707, align 8
  %.1724 = select i1 %.1692, i64 %arg.ys.5.0, i64 0
  %13 = getelementptr double, ptr %arg.ys.4, i64 %.113819132047
  %.1738 = getelementptr double, ptr %13, i64 %.1724
  %.1739 = load double, ptr %.1738, align 8
  %.1755 = select i1 %.1692, i64 %arg.xs.5.0, i64 0
  %14 = getelementptr double, ptr %arg.xs.4, i64 %.113819132047
  %.1769 = getelementptr double, ptr %14, i64 %.1755
  %.1770 = load double, ptr %.1769, align 8
  %.1809 = icmp slt i64 %spec.select, 0
  %.1810 = select i1 %.1809, i64 %arg.zs.5.0, i64 0
  %.1811 = add i64 %.1810, %spec.select
  %.1814 = icmp slt i64 %.1811, 0
  br i1 %.1814, label %B726.else.if, label %B726.else.endif

B920:                                             ; preds = %B920.lr.ph, %B2388.endif.endif.endif
  %.250618231880 = phi i64 [ 0, %B920.lr.ph ], [ %.2513, %B2388.endif.endif.endif ]
  %.2513 = add nuw nsw i64 %.250618231880, 1
  %15 = shl i64 %.250618231880, 3
  %scevgep207 = getelementptr i8, ptr %.1912, i64 %15
  %.2571 = load double, ptr %scevgep207, align 8
  %.2573 = fsub double %.2571, %.1708
  %16 = shl i64 %.250618231880, 3
  %scevgep206 = getelementptr i8, ptr %.2085, i64 %16
  %.2604 = load double, ptr %scevgep206, align 8
  %.2606 = fsub double %.2604, %.1739
  %17 = shl i64 %.250618231880, 3
  %scevgep205 = getelementptr i8, ptr %.2258, i64 %17
  %.2637 = load double, ptr %scevgep205, align 8
  %.2639 = fsub double %.2637, %.1770
  %.2651 = fmul double %.2573, %.2573
  %.2654 = fmul double %.2606, %.2606
  %.2655 = fadd double %.2651, %.2654
  %.2658 = fmul double %.2639, %.2639
  %.2659 = fadd double %.2655, %.2658
  %sqrt = tail call double @llvm.sqrt.f64(double %.2659)
  %.2670 = fmul double %.2398, %sqrt
  %.2671 = tail call double @llvm.ceil.f64(double %.2670)
  %.2672 = fptosi double %.2671 to i64
  %.2673 = sitofp i64 %.2672 to double
  %.2674 = fadd double %.2673, -1.000000e+00
  %.2679 = fcmp ogt double %.2674, 0.000000e+00
  br i1 %.2679, label %B1691, label %B2388.endif.endif.endif

B1691:                                            ; preds = %B920
  %.2701 = fcmp olt double %.2674, 9.990000e+02
  br i1 %.2701, label %B2388.endif.endif.endif, label %B1899

B1899:                                            ; preds = %B1691
  br label %B2388.endif.endif.endif

B2919:                                            ; preds = %B2919.lr.ph, %B2919
  %.455818871889 = phi i64 [ 0, %B2919.lr.ph ], [ %.4565, %B2919 ]
  %.4565 = add nuw nsw i64 %.455818871889, 1
  %18 = shl i64 %.455818871889, 3
  %scevgep211 = getelementptr i8, ptr %.4368, i64 %18
  %.4619 = load i64, ptr %scevgep211, align 8
  %19 = shl i64 %.455818871889, 3
  %scevgep210 = getelementptr i8, ptr %arg.bins.4, i64 %19
  %.4649 = load i64, ptr %scevgep210, align 8
  %.4683 = icmp slt i64 %.4619, 0
  %.4684 = select i1 %.4683, i64 %arg.sums.5.1, i64 0
  %.4685 = add i64 %.4684, %.4619
  %.4711 = mul i64 %.4685, %arg.sums.5.2
  %20 = getelementptr double, ptr %49, i64 %.4711
  %.4715 = getelementptr double, ptr %20, i64 %.4649
  %.4716 = load double, ptr %.4715, align 8
  %21 = shl i64 %.455818871889, 3
  %scevgep209 = getelementptr i8, ptr %arg.weights.4, i64 %21
  %.4746 = load double, ptr %scevgep209, align 8
  %.4747 = fadd double %.4716, %.4746
  store double %.4747, ptr %.4715, align 8
  %.4840 = load i64, ptr %scevgep211, align 8
  %.4870 = load i64, ptr %scevgep210, align 8
  %.4901 = icmp slt i64 %.4840, 0
  %.4902 = select i1 %.4901, i64 %arg.sums.5.0, i64 0
  %.4903 = add i64 %.4902, %.4840
  %.4930 = mul i64 %.4903, %.4707
  %gep = getelementptr double, ptr %invariant.gep, i64 %.4930
  %.4936 = getelementptr double, ptr %gep, i64 %.4870
  %.4937 = load double, ptr %.4936, align 8
  %22 = shl i64 %.455818871889, 3
  %scevgep208 = getelementptr i8, ptr %.328, i64 %22
  %.4967 = load double, ptr %scevgep208, align 8
  %.4968 = fadd double %.4937, %.4967
  store double %.4968, ptr %.4936, align 8
  %exitcond3323.not = icmp eq i64 %.4343, %.4565
  br i1 %exitcond3323.not, label %B2921, label %B2919

B2921:                                            ; preds = %B2919, %B2390.endif.endif
  %.1132 = icmp sgt i64 %.113118932048, 1
  br i1 %.1132, label %B418, label %B3220

B3220:                                            ; preds = %B2921, %B300.endif, %B180
  %exitcond3324.not = icmp eq i64 %arg.offsets.5.0, %.659
  br i1 %exitcond3324.not, label %B104.loopexit, label %B180

common.ret:                                       ; preds = %B104.loopexit, %B0.endif
  store ptr null, ptr %retptr, align 8
  ret i32 0

B108.else.if:                                     ; preds = %B108
  %23 = or i64 %.47423182542, %arg.rows_y
  %24 = and i64 %23, -4294967296
  %25 = icmp eq i64 %24, 0
  br i1 %25, label %26, label %31

26:                                               ; preds = %B108.else.if
  %27 = trunc i64 %arg.rows_y to i32
  %28 = trunc i64 %.47423182542 to i32
  %29 = urem i32 %28, %27
  %30 = zext i32 %29 to i64
  br label %33

31:                                               ; preds = %B108.else.if
  %32 = srem i64 %.47423182542, %arg.rows_y
  br label %33

33:                                               ; preds = %31, %26
  %34 = phi i64 [ %30, %26 ], [ %32, %31 ]
  %.533.not = icmp eq i64 %34, 0
  %.541 = select i1 %.533.not, i64 0, i64 %0
  %spec.select1637 = add nsw i64 %.541, %34
  br label %B108.endif.endif

B108.endif.endif:                                 ; preds = %33, %B108
  %rem.0 = phi i64 [ 0, %B108 ], [ %spec.select1637, %33 ]
  %35 = icmp slt i64 %arg.offsets.5.0, 1
  br i1 %35, label %B104.loopexit, label %B180.lr.ph

B180.lr.ph:                                       ; preds = %B108.endif.endif
  br label %B180

B300.endif:                                       ; preds = %B180
  %.964 = icmp slt i64 %.801, -1
  %.965 = select i1 %.964, i64 %arg.starts.5.0, i64 0
  %36 = getelementptr i64, ptr %arg.starts.4, i64 %.801
  %37 = getelementptr i8, ptr %36, i64 8
  %.979 = getelementptr i64, ptr %37, i64 %.965
  %.980 = load i64, ptr %.979, align 8
  %sunkaddr215 = mul i64 %.47423182542, 8
  %sunkaddr216 = getelementptr i8, ptr %arg.starts.4, i64 %sunkaddr215
  %.1020 = load i64, ptr %sunkaddr216, align 8
  %sunkaddr217 = mul i64 %.47423182542, 8
  %sunkaddr218 = getelementptr i8, ptr %arg.starts.4, i64 %sunkaddr217
  %sunkaddr219 = getelementptr i8, ptr %sunkaddr218, i64 8
  %.1052 = load i64, ptr %sunkaddr219, align 8
  %.1089 = sub i64 %.1052, %.1020
  %.11322042.not = icmp slt i64 %.1089, 1
  br i1 %.11322042.not, label %B3220, label %B418.lr.ph

B418.lr.ph:                                       ; preds = %B300.endif
  %.899 = icmp slt i64 %.801, 0
  %.900 = select i1 %.899, i64 %arg.starts.5.0, i64 0
  %.914 = getelementptr i64, ptr %36, i64 %.900
  %.915 = load i64, ptr %.914, align 8
  %38 = add i64 %.980, -1
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
  %39 = icmp slt i64 %spec.select, 0
  %.1912 = getelementptr double, ptr %arg.zs.4, i64 %.1799.sroa.0.3
  %.1983 = select i1 %39, i64 %arg.ys.5.0, i64 0
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
  %40 = icmp slt i64 %spec.select, 0
  %.2085 = getelementptr double, ptr %arg.ys.4, i64 %.1972.sroa.0.3
  %.2156 = select i1 %40, i64 %arg.xs.5.0, i64 0
  %.2157 = add i64 %.2156, %spec.select
  %.2160 = icmp slt i64 %.2157, 0
  br i1 %.2160, label %B726.endif.endif.else.if, label %B726.endif.endif.else.endif

B726.endif.endif.endif:                           ; preds = %B726.endif.endif.else.endif.endif.endif, %B726.endif.endif.else.endif.endif.endif.if
  %.2145.sroa.13.0 = phi i64 [ %.2145.sroa.13.1, %B726.endif.endif.else.endif.endif.endif ], [ %arg.xs.5.0, %B726.endif.endif.else.endif.endif.endif.if ]
  %.2233 = sub i64 %.2145.sroa.13.0, %.2145.sroa.0.3
  %.2258 = getelementptr double, ptr %arg.xs.4, i64 %.2145.sroa.0.3
  %.25001877.not = icmp slt i64 %.2233, 1
  br i1 %.25001877.not, label %B2390.else, label %B920.lr.ph

B920.lr.ph:                                       ; preds = %B726.endif.endif.endif
  %.2804 = fsub double %.1739, %arg.numbers.0
  %.2834 = fsub double %.1770, %arg.numbers.1
  %.2864 = fsub double %arg.numbers.2, %.1739
  %.2899 = fsub double %arg.numbers.3, %.1770
  %.12.i = fcmp ogt double %arg.numbers.4, %.2804
  %.13.i = select i1 %.12.i, double %arg.numbers.4, double %.2804
  %.12.i127 = fcmp ogt double %arg.numbers.4, %.2834
  %.13.i128 = select i1 %.12.i127, double %arg.numbers.4, double %.2834
  %.12.i129 = fcmp ogt double %arg.numbers.4, %.2864
  %.13.i130 = select i1 %.12.i129, double %arg.numbers.4, double %.2864
  %.12.i131 = fcmp ogt double %arg.numbers.4, %.2899
  %.13.i132 = select i1 %.12.i131, double %arg.numbers.4, double %.2899
  %.3242 = tail call double @atan2(double %.13.i128, double %.13.i)
  %.3271 = tail call double @atan2(double %.13.i132, double %.13.i)
  %.3242.1 = tail call double @atan2(double %.13.i128, double %.13.i130)
  %.3271.1 = tail call double @atan2(double %.13.i132, double %.13.i130)
  %.3242.2 = tail call double @atan2(double %.13.i, double %.13.i128)
  %.3271.2 = tail call double @atan2(double %.13.i130, double %.13.i128)
  %.3242.3 = tail call double @atan2(double %.13.i, double %.13.i132)
  %.3271.3 = tail call double @atan2(double %.13.i130, double %.13.i132)
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
  %41 = icmp slt i64 %end.3.4, 0
  %.2173 = select i1 %41, i64 %arg.xs.5.0, i64 0
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

B2388.endif.endif.endif:                          ; preds = %B920, %B1691, %B1899
  %_weighing_runs__locals__weigh_run_v2__vphi346_1.2.5 = phi double [ 9.990000e+02, %B1899 ], [ %.2674, %B1691 ], [ 0.000000e+00, %B920 ]
  %.2724 = fcmp ole double %.2659, %.2399
  %_weighing_runs__locals__weigh_run_v2__vphi372_1.2.5 = select i1 %.2724, double %_weighing_runs__locals__weigh_run_v2__vphi346_1.2.5, double 1.000000e+03
  %42 = shl i64 %.250618231880, 3
  %scevgep204 = getelementptr i8, ptr %arg.bins.4, i64 %42
  %.2773 = fptoui double %_weighing_runs__locals__weigh_run_v2__vphi372_1.2.5 to i64
  store i64 %.2773, ptr %scevgep204, align 8
  %.12.i133 = fcmp ogt double %arg.numbers.4, %sqrt
  %.13.i134 = select i1 %.12.i133, double %arg.numbers.4, double %sqrt
  %.3212 = fdiv double %.13.i, %.13.i134
  %.12.i135 = fcmp ogt double %.3212, 1.000000e+00
  %.13.i136 = select i1 %.12.i135, double 1.000000e+00, double %.3212
  %.3241 = tail call double @acos(double %.13.i136)
  %.12.i137 = fcmp olt double %.3242, %.3241
  %.13.i138 = select i1 %.12.i137, double %.3242, double %.3241
  %.12.i139 = fcmp olt double %.3271, %.3241
  %.13.i140 = select i1 %.12.i139, double %.3271, double %.3241
  %.3300 = fadd double %.13.i138, %.13.i140
  %.3302 = fadd double %.3300, 0.000000e+00
  %.3212.1 = fdiv double %.13.i130, %.13.i134
  %.12.i141 = fcmp ogt double %.3212.1, 1.000000e+00
  %.13.i142 = select i1 %.12.i141, double 1.000000e+00, double %.3212.1
  %.3241.1 = tail call double @acos(double %.13.i142)
  %.12.i143 = fcmp olt double %.3242.1, %.3241.1
  %.13.i144 = select i1 %.12.i143, double %.3242.1, double %.3241.1
  %.12.i145 = fcmp olt double %.3271.1, %.3241.1
  %.13.i146 = select i1 %.12.i145, double %.3271.1, double %.3241.1
  %.3300.1 = fadd double %.13.i144, %.13.i146
  %.3302.1 = fadd double %.3302, %.3300.1
  %.3212.2 = fdiv double %.13.i128, %.13.i134
  %.12.i147 = fcmp ogt double %.3212.2, 1.000000e+00
  %.13.i148 = select i1 %.12.i147, double 1.000000e+00, double %.3212.2
  %.3241.2 = tail call double @acos(double %.13.i148)
  %.12.i149 = fcmp olt double %.3242.2, %.3241.2
  %.13.i150 = select i1 %.12.i149, double %.3242.2, double %.3241.2
  %.12.i151 = fcmp olt double %.3271.2, %.3241.2
  %.13.i152 = select i1 %.12.i151, double %.3271.2, double %.3241.2
  %.3300.2 = fadd double %.13.i150, %.13.i152
  %.3302.2 = fadd double %.3302.1, %.3300.2
  %.3212.3 = fdiv double %.13.i132, %.13.i134
  %.12.i153 = fcmp ogt double %.3212.3, 1.000000e+00
  %.13.i154 = select i1 %.12.i153, double 1.000000e+00, double %.3212.3
  %.3241.3 = tail call double @acos(double %.13.i154)
  %.12.i155 = fcmp olt double %.3242.3, %.3241.3
  %.13.i156 = select i1 %.12.i155, double %.3242.3, double %.3241.3
  %.12.i157 = fcmp olt double %.3271.3, %.3241.3
  %.13.i158 = select i1 %.12.i157, double %.3271.3, double %.3241.3
  %.3300.3 = fadd double %.13.i156, %.13.i158
  %.3302.3 = fadd double %.3302.2, %.3300.3
  %.3336 = fdiv double %.3302.3, 0x401921FB54442D18
  %.3339 = fsub double 1.000000e+00, %.3336
  %.12.i159 = fcmp olt double %.3339, 1.000000e-02
  %.13.i160 = select i1 %.12.i159, double 1.000000e-02, double %.3339
  %.3371 = fdiv double 1.000000e+00, %.13.i160
  %43 = shl i64 %.250618231880, 3
  %scevgep203 = getelementptr i8, ptr %arg.weights.4, i64 %43
  store double %.3371, ptr %scevgep203, align 8
  %sunkaddr220 = mul i64 %.250618231880, 8
  %sunkaddr221 = getelementptr i8, ptr %.2085, i64 %sunkaddr220
  %.3465 = load double, ptr %sunkaddr221, align 8
  %sunkaddr222 = mul i64 %.250618231880, 8
  %sunkaddr223 = getelementptr i8, ptr %.2258, i64 %sunkaddr222
  %.3496 = load double, ptr %sunkaddr223, align 8
  %.3531 = fsub double %.3465, %arg.numbers.0
  %.12.i161 = fcmp ogt double %arg.numbers.4, %.3531
  %.13.i162 = select i1 %.12.i161, double %arg.numbers.4, double %.3531
  %.3561 = fsub double %.3496, %arg.numbers.1
  %.12.i163 = fcmp ogt double %arg.numbers.4, %.3561
  %.13.i164 = select i1 %.12.i163, double %arg.numbers.4, double %.3561
  %.3591 = fsub double %arg.numbers.2, %.3465
  %.12.i165 = fcmp ogt double %arg.numbers.4, %.3591
  %.13.i166 = select i1 %.12.i165, double %arg.numbers.4, double %.3591
  %.3626 = fsub double %arg.numbers.3, %.3496
  %.12.i167 = fcmp ogt double %arg.numbers.4, %.3626
  %.13.i168 = select i1 %.12.i167, double %arg.numbers.4, double %.3626
  %.3939 = fdiv double %.13.i162, %.13.i134
  %.12.i171 = fcmp ogt double %.3939, 1.000000e+00
  %.13.i172 = select i1 %.12.i171, double 1.000000e+00, double %.3939
  %.3968 = tail call double @acos(double %.13.i172)
  %.3969 = tail call double @atan2(double %.13.i164, double %.13.i162)
  %.12.i173 = fcmp olt double %.3969, %.3968
  %.13.i174 = select i1 %.12.i173, double %.3969, double %.3968
  %.3998 = tail call double @atan2(double %.13.i168, double %.13.i162)
  %.12.i175 = fcmp olt double %.3998, %.3968
  %.13.i176 = select i1 %.12.i175, double %.3998, double %.3968
  %.4027 = fadd double %.13.i174, %.13.i176
  %.4029 = fadd double %.4027, 0.000000e+00
  %.3939.1 = fdiv double %.13.i166, %.13.i134
  %.12.i177 = fcmp ogt double %.3939.1, 1.000000e+00
  %.13.i178 = select i1 %.12.i177, double 1.000000e+00, double %.3939.1
  %.3968.1 = tail call double @acos(double %.13.i178)
  %.3969.1 = tail call double @atan2(double %.13.i164, double %.13.i166)
  %.12.i179 = fcmp olt double %.3969.1, %.3968.1
  %.13.i180 = select i1 %.12.i179, double %.3969.1, double %.3968.1
  %.3998.1 = tail call double @atan2(double %.13.i168, double %.13.i166)
  %.12.i181 = fcmp olt double %.3998.1, %.3968.1
  %.13.i182 = select i1 %.12.i181, double %.3998.1, double %.3968.1
  %.4027.1 = fadd double %.13.i180, %.13.i182
  %.4029.1 = fadd double %.4029, %.4027.1
  %.3939.2 = fdiv double %.13.i164, %.13.i134
  %.12.i183 = fcmp ogt double %.3939.2, 1.000000e+00
  %.13.i184 = select i1 %.12.i183, double 1.000000e+00, double %.3939.2
  %.3968.2 = tail call double @acos(double %.13.i184)
  %.3969.2 = tail call double @atan2(double %.13.i162, double %.13.i164)
  %.12.i185 = fcmp olt double %.3969.2, %.3968.2
  %.13.i186 = select i1 %.12.i185, double %.3969.2, double %.3968.2
  %.3998.2 = tail call double @atan2(double %.13.i166, double %.13.i164)
  %.12.i187 = fcmp olt double %.3998.2, %.3968.2
  %.13.i188 = select i1 %.12.i187, double %.3998.2, double %.3968.2
  %.4027.2 = fadd double %.13.i186, %.13.i188
  %.4029.2 = fadd double %.4029.1, %.4027.2
  %.3939.3 = fdiv double %.13.i168, %.13.i134
  %.12.i189 = fcmp ogt double %.3939.3, 1.000000e+00
  %.13.i190 = select i1 %.12.i189, double 1.000000e+00, double %.3939.3
  %.3968.3 = tail call double @acos(double %.13.i190)
  %.3969.3 = tail call double @atan2(double %.13.i162, double %.13.i168)
  %.12.i191 = fcmp olt double %.3969.3, %.3968.3
  %.13.i192 = select i1 %.12.i191, double %.3969.3, double %.3968.3
  %.3998.3 = tail call double @atan2(double %.13.i166, double %.13.i168)
  %.12.i193 = fcmp olt double %.3998.3, %.3968.3
  %.13.i194 = select i1 %.12.i193, double %.3998.3, double %.3968.3
  %.4027.3 = fadd double %.13.i192, %.13.i194
  %.4029.3 = fadd double %.4029.2, %.4027.3
  %.4063 = fdiv double %.4029.3, 0x401921FB54442D18
  %.4066 = fsub double 1.000000e+00, %.4063
  %.12.i195 = fcmp olt double %.4066, 1.000000e-02
  %.13.i196 = select i1 %.12.i195, double 1.000000e-02, double %.4066
  %.4098 = fdiv double 1.000000e+00, %.13.i196
  %44 = shl i64 %.250618231880, 3
  %scevgep202 = getelementptr i8, ptr %.328, i64 %44
  store double %.4098, ptr %scevgep202, align 8
  %exitcond3322.not = icmp eq i64 %.2233, %.2513
  br i1 %exitcond3322.not, label %B2390.else, label %B920

B2390.else:                                       ; preds = %B2388.endif.endif.endif, %B726.endif.endif.endif
  %45 = icmp slt i64 %spec.select, 0
  %46 = icmp slt i64 %.113819132047, 0
  %.4209 = select i1 %46, i64 %arg.of_class.5.0, i64 0
  %47 = getelementptr i64, ptr %arg.of_class.4, i64 %.113819132047
  %.4223 = getelementptr i64, ptr %47, i64 %.4209
  %.4224 = load i64, ptr %.4223, align 8
  %.4266 = select i1 %45, i64 %arg.of_class.5.0, i64 0
  %.4267 = add i64 %.4266, %spec.select
  %.4270 = icmp slt i64 %.4267, 0
  br i1 %.4270, label %B2390.else.if, label %B2390.else.endif

B2390.else.if:                                    ; preds = %B2390.else
  br label %B2390.else.endif

B2390.else.endif:                                 ; preds = %B2390.else.if, %B2390.else
  %.4255.sroa.0.1 = phi i64 [ 0, %B2390.else.if ], [ %.4267, %B2390.else ]
  %.4275.not = icmp slt i64 %.4267, %arg.of_class.5.0
  br i1 %.4275.not, label %B2390.else.endif.endif, label %B2390.else.endif.if

B2390.else.endif.if:                              ; preds = %B2390.else.endif
  br label %B2390.else.endif.endif

B2390.else.endif.endif:                           ; preds = %B2390.else.endif.if, %B2390.else.endif
  %.4255.sroa.0.3 = phi i64 [ %arg.of_class.5.0, %B2390.else.endif.if ], [ %.4255.sroa.0.1, %B2390.else.endif ]
  %48 = icmp slt i64 %end.3.4, 0
  %.4283 = select i1 %48, i64 %arg.of_class.5.0, i64 0
  %.4284 = add i64 %.4283, %end.3.4
  %.4287 = icmp slt i64 %.4284, 0
  br i1 %.4287, label %B2390.else.endif.endif.if, label %B2390.else.endif.endif.endif

B2390.else.endif.endif.if:                        ; preds = %B2390.else.endif.endif
  br label %B2390.else.endif.endif.endif

B2390.else.endif.endif.endif:                     ; preds = %B2390.else.endif.endif.if, %B2390.else.endif.endif
  %.4255.sroa.13.1 = phi i64 [ 0, %B2390.else.endif.endif.if ], [ %.4284, %B2390.else.endif.endif ]
  %.4292.not = icmp slt i64 %.4284, %arg.of_class.5.0
  br i1 %.4292.not, label %B2390.endif.endif, label %B2390.else.endif.endif.endif.if

B2390.else.endif.endif.endif.if:                  ; preds = %B2390.else.endif.endif.endif
  br label %B2390.endif.endif

B2390.endif.endif:                                ; preds = %B2390.else.endif.endif.endif.if, %B2390.else.endif.endif.endif
  %.4255.sroa.13.0 = phi i64 [ %.4255.sroa.13.1, %B2390.else.endif.endif.endif ], [ %arg.of_class.5.0, %B2390.else.endif.endif.endif.if ]
  %.4343 = sub i64 %.4255.sroa.13.0, %.4255.sroa.0.3
  %.4368 = getelementptr i64, ptr %arg.of_class.4, i64 %.4255.sroa.0.3
  %.45521888.not = icmp slt i64 %.4343, 1
  br i1 %.45521888.not, label %B2921, label %B2919.lr.ph

B2919.lr.ph:                                      ; preds = %B2390.endif.endif
  %.4680 = icmp slt i64 %.4224, 0
  %.4681 = select i1 %.4680, i64 %arg.sums.5.0, i64 0
  %.4682 = add i64 %.4681, %.4224
  %.4709 = mul i64 %.4682, %.4707
  %49 = getelementptr double, ptr %arg.sums.4, i64 %.4709
  %.4905 = select i1 %.4680, i64 %arg.sums.5.1, i64 0
  %.4906 = add i64 %.4905, %.4224
  %.4932 = mul i64 %.4906, %arg.sums.5.2
  %invariant.gep = getelementptr double, ptr %arg.sums.4, i64 %.4932
  br label %B2919
}
