; nearest: written by scripts.spatial_kernels with Numba 0.68.1. Do not edit.

declare i64 @llvm.abs.i64(i64, i1 immarg)

declare i64 @llvm.smax.i64(i64, i64)

declare i64 @llvm.smin.i64(i64, i64)

declare double @sqrt(double) local_unnamed_addr

define range(i32 -1, -2) i32 @kernel(ptr noalias writeonly %retptr, ptr noalias readnone %excinfo, ptr %arg.of_z.0, ptr readnone %arg.of_z.1, i64 %arg.of_z.2, i64 %arg.of_z.3, ptr readonly %arg.of_z.4, i64 %arg.of_z.5.0, i64 %arg.of_z.6.0, ptr %arg.of_y.0, ptr readnone %arg.of_y.1, i64 %arg.of_y.2, i64 %arg.of_y.3, ptr readonly %arg.of_y.4, i64 %arg.of_y.5.0, i64 %arg.of_y.6.0, ptr %arg.of_x.0, ptr readnone %arg.of_x.1, i64 %arg.of_x.2, i64 %arg.of_x.3, ptr readonly %arg.of_x.4, i64 %arg.of_x.5.0, i64 %arg.of_x.6.0, ptr %arg.itself.0, ptr readnone %arg.itself.1, i64 %arg.itself.2, i64 %arg.itself.3, ptr readonly %arg.itself.4, i64 %arg.itself.5.0, i64 %arg.itself.6.0, ptr %arg.zs.0, ptr readnone %arg.zs.1, i64 %arg.zs.2, i64 %arg.zs.3, ptr readonly %arg.zs.4, i64 %arg.zs.5.0, i64 %arg.zs.6.0, ptr %arg.ys.0, ptr readnone %arg.ys.1, i64 %arg.ys.2, i64 %arg.ys.3, ptr readonly %arg.ys.4, i64 %arg.ys.5.0, i64 %arg.ys.6.0, ptr %arg.xs.0, ptr readnone %arg.xs.1, i64 %arg.xs.2, i64 %arg.xs.3, ptr readonly %arg.xs.4, i64 %arg.xs.5.0, i64 %arg.xs.6.0, ptr %arg.starts.0, ptr readnone %arg.starts.1, i64 %arg.starts.2, i64 %arg.starts.3, ptr readonly %arg.starts.4, i64 %arg.starts.5.0, i64 %arg.starts.6.0, i64 %arg.rows_y, double %arg.place.0, double %arg.place.1, double %arg.place.2, double %arg.place.3, ptr %arg.found.0, ptr readnone %arg.found.1, i64 %arg.found.2, i64 %arg.found.3, ptr writeonly %arg.found.4, i64 %arg.found.5.0, i64 %arg.found.6.0) local_unnamed_addr {
B0:
  %const = bitcast i64 9223372036854775807 to i64
  %.157 = add nsw i64 %arg.starts.5.0, -1
  %.161 = icmp eq i64 %arg.rows_y, 0
  br i1 %.161, label %B158.endif.endif, label %B0.else

B120:                                             ; preds = %43
  br label %B158.endif.endif

B234:                                             ; preds = %B234.lr.ph, %B1778
  %.366782825 = phi i64 [ 0, %B234.lr.ph ], [ %.373, %B1778 ]
  %.373 = add nuw nsw i64 %.366782825, 1
  %0 = getelementptr double, ptr %arg.of_z.4, i64 %.366782825
  %.431 = load double, ptr %0, align 8
  %1 = getelementptr double, ptr %arg.of_y.4, i64 %.366782825
  %.462 = load double, ptr %1, align 8
  %2 = getelementptr double, ptr %arg.of_x.4, i64 %.366782825
  %.493 = load double, ptr %2, align 8
  br i1 %.203653683, label %B350, label %B418.endif.endif

B350:                                             ; preds = %B234
  %.542 = fsub double %.431, %arg.place.0
  %.548 = fdiv double %.542, %arg.place.2
  %.5.i = fptosi double %.548 to i64
  %3 = tail call i64 @llvm.smax.i64(i64 %.5.i, i64 0)
  br label %B418.endif.endif

B494:                                             ; preds = %B418.endif.endif
  %.660 = fsub double %.462, %arg.place.1
  %.666 = fdiv double %.660, %arg.place.3
  %.5.i58 = fptosi double %.666 to i64
  %4 = tail call i64 @llvm.smax.i64(i64 %.5.i58, i64 0)
  br label %B562.endif.endif.endif

B648:                                             ; preds = %B648.preheader, %B1726.endif
  %best.3.1 = phi double [ %best.4.3.lcssa, %B1726.endif ], [ 0x7FF0000000000000, %B648.preheader ]
  %ring.2.1 = phi i64 [ %.2213, %B1726.endif ], [ 0, %B648.preheader ]
  %.817 = uitofp nneg i64 %ring.2.1 to double
  %.818 = fadd double %.817, 0xBFF000010C6F7A0B
  %.820 = fmul double %.13.i, %.818
  %.825 = icmp samesign ugt i64 %ring.2.1, 1
  %.829 = fmul double %.820, %.820
  %.833 = fcmp ogt double %.829, %best.3.1
  %or.cond = select i1 %.825, i1 %.833, i1 false
  br i1 %or.cond, label %B1778, label %B698.endif.endif.endif

B814:                                             ; preds = %B814.lr.ph, %B1722
  %best.4.3756 = phi double [ %best.3.1, %B814.lr.ph ], [ %best.5.6, %B1722 ]
  %.1005749755 = phi i64 [ %.962, %B814.lr.ph ], [ %.1015, %B1722 ]
  %.1012751754 = phi i64 [ %.13.i60, %B814.lr.ph ], [ %.1019, %B1722 ]
  %5 = icmp eq i64 %ring.2.1, 0
  %.1015 = add nsw i64 %.1005749755, -1
  %.1019 = add nuw i64 %.1012751754, 1
  %.1049 = sub nsw i64 %.1012751754, %.13.i66
  %.1052 = tail call i64 @llvm.abs.i64(i64 %.1049, i1 false)
  %.1054 = icmp eq i64 %.1052, %ring.2.1
  %or.cond687 = or i1 %5, %.1054
  %"$phi884.2.2.4" = select i1 %or.cond687, i64 1, i64 %.1064
  %invariant.op = sub nsw i64 0, %"$phi884.2.2.4"
  %6 = add nuw i64 %ring.2.1, %"$phi884.2.2.4"
  %.1084 = sub i64 %.13.i67, %6
  %.1107746 = icmp slt i64 %.1084, %.1105
  br i1 %.1107746, label %B922.preheader.lr.ph, label %B1722

B922.preheader.lr.ph:                             ; preds = %B814
  %.1144 = mul nsw i64 %.1012751754, %arg.rows_y
  br label %B922.preheader

B902.loopexit:                                    ; preds = %B922
  %.1107 = icmp slt i64 %.1118, %.1105
  br i1 %.1107, label %B922.preheader, label %B1722

B922.preheader:                                   ; preds = %B922.preheader.lr.ph, %B902.loopexit
  %other_y.2.4748 = phi i64 [ %.1084, %B922.preheader.lr.ph ], [ %.1118, %B902.loopexit ]
  %best.13.4747 = phi double [ %best.4.3756, %B922.preheader.lr.ph ], [ %best.12.5, %B902.loopexit ]
  br label %B922

B922:                                             ; preds = %B922.preheader, %B1702
  %best.12.5 = phi double [ %best.6.7, %B1702 ], [ %best.13.4747, %B922.preheader ]
  %other_y.3.5 = phi i64 [ %.1118, %B1702 ], [ %other_y.2.4748, %B922.preheader ]
  %7 = icmp slt i64 %other_y.2.4748, %invariant.op
  %.1118 = add nsw i64 %other_y.3.5, %"$phi884.2.2.4"
  %.1129 = icmp sge i64 %.1118, %arg.rows_y
  %or.cond688 = select i1 %7, i1 true, i1 %.1129
  br i1 %or.cond688, label %B902.loopexit, label %B958

B958:                                             ; preds = %B922
  %.1146 = add nsw i64 %.1118, %.1144
  %.1160 = icmp slt i64 %.1146, 0
  %.1161 = select i1 %.1160, i64 %arg.starts.5.0, i64 0
  %8 = getelementptr i64, ptr %arg.starts.4, i64 %.1146
  %.1175 = getelementptr i64, ptr %8, i64 %.1161
  %.1176 = load i64, ptr %.1175, align 8
  %.1191 = icmp slt i64 %.1146, -1
  %.1192 = select i1 %.1191, i64 %arg.starts.5.0, i64 0
  %9 = getelementptr i8, ptr %8, i64 8
  %.1206 = getelementptr i64, ptr %9, i64 %.1192
  %.1207 = load i64, ptr %.1206, align 8
  %.1225 = icmp slt i64 %.1176, %.1207
  br i1 %.1225, label %B1032.else.if.preheader, label %B1100

B1032.else.if.preheader:                          ; preds = %B958
  br label %B1032.else.if

B1100:                                            ; preds = %B1032.else.if, %B958
  %low.4.8 = phi i64 [ %.1176, %B958 ], [ %low.3.9, %B1032.else.if ]
  %.1377 = icmp slt i64 %low.4.8, %.1207
  br i1 %.1377, label %B1116, label %B1398

B1116:                                            ; preds = %B1100
  %.1404 = icmp slt i64 %low.4.8, 0
  %.1405 = select i1 %.1404, i64 %arg.xs.5.0, i64 0
  %10 = getelementptr double, ptr %arg.xs.4, i64 %low.4.8
  %.1419 = getelementptr double, ptr %10, i64 %.1405
  %.1420 = load double, ptr %.1419, align 8
  %.1422 = fsub double %.1420, %.493
  %.1458 = fmul double %.1422, %.1422
  %.1460 = fcmp olt double %.1458, %best.12.5
  br i1 %.1460, label %B1170.preheader, label %B1398

B1170.preheader:                                  ; preds = %B1116
  %11 = add nsw i64 %.1207, -1
  %sunkaddr = mul i64 %.366782825, 8
  %sunkaddr106 = getelementptr i8, ptr %arg.itself.4, i64 %sunkaddr
  %.1503 = load i64, ptr %sunkaddr106, align 8
  br label %B1170

B1170:                                            ; preds = %B1170.preheader, %B1344
  %best.11.8 = phi double [ %best.10.9, %B1344 ], [ %best.12.5, %B1170.preheader ]
  %j.4.8 = phi i64 [ %.1651, %B1344 ], [ %low.4.8, %B1170.preheader ]
  %.1505.not = icmp eq i64 %.1503, %j.4.8
  br i1 %.1505.not, label %B1322, label %B1194

B1194:                                            ; preds = %B1170
  %.1521 = icmp slt i64 %j.4.8, 0
  %.1522 = select i1 %.1521, i64 %arg.zs.5.0, i64 0
  %12 = shl i64 %.1522, 3
  %scevgep91 = getelementptr i8, ptr %arg.zs.4, i64 %12
  %13 = shl i64 %j.4.8, 3
  %scevgep92 = getelementptr i8, ptr %scevgep91, i64 %13
  %.1537 = load double, ptr %scevgep92, align 8
  %.1539 = fsub double %.1537, %.431
  %.1555 = select i1 %.1521, i64 %arg.ys.5.0, i64 0
  %14 = shl i64 %.1555, 3
  %scevgep93 = getelementptr i8, ptr %arg.ys.4, i64 %14
  %15 = shl i64 %j.4.8, 3
  %scevgep94 = getelementptr i8, ptr %scevgep93, i64 %15
  %.1570 = load double, ptr %scevgep94, align 8
  %.1572 = fsub double %.1570, %.462
  %.1588 = select i1 %.1521, i64 %arg.xs.5.0, i64 0
  %16 = shl i64 %.1588, 3
  %scevgep95 = getelementptr i8, ptr %arg.xs.4, i64 %16
  %17 = shl i64 %j.4.8, 3
  %scevgep96 = getelementptr i8, ptr %scevgep95, i64 %17
  %.1603 = load double, ptr %scevgep96, align 8
  %.1605 = fsub double %.1603, %.493
  %.1606 = fmul double %.1539, %.1539
  %.1607 = fmul double %.1572, %.1572
  %.1608 = fadd double %.1606, %.1607
  %.1609 = fmul double %.1605, %.1605
  %.1610 = fadd double %.1608, %.1609
  %.12.i61 = fcmp olt double %.1610, %best.11.8
  %.13.i62 = select i1 %.12.i61, double %.1610, double %best.11.8
  br label %B1322

B1322:                                            ; preds = %B1194, %B1170
  %best.10.9 = phi double [ %best.11.8, %B1170 ], [ %.13.i62, %B1194 ]
  %exitcond.not = icmp eq i64 %11, %j.4.8
  br i1 %exitcond.not, label %B1398, label %B1344

B1344:                                            ; preds = %B1322
  %.1651 = add i64 %j.4.8, 1
  %.1684 = icmp slt i64 %j.4.8, -1
  %.1685 = select i1 %.1684, i64 %arg.xs.5.0, i64 0
  %18 = shl i64 %.1685, 3
  %scevgep = getelementptr i8, ptr %arg.xs.4, i64 %18
  %19 = shl i64 %j.4.8, 3
  %scevgep89 = getelementptr i8, ptr %scevgep, i64 %19
  %scevgep90 = getelementptr i8, ptr %scevgep89, i64 8
  %.1700 = load double, ptr %scevgep90, align 8
  %.1702 = fsub double %.1700, %.493
  %.1738 = fmul double %.1702, %.1702
  %.1740 = fcmp olt double %.1738, %best.10.9
  br i1 %.1740, label %B1170, label %B1398

B1398:                                            ; preds = %B1344, %B1322, %B1116, %B1100
  %best.9.7 = phi double [ %best.12.5, %B1116 ], [ %best.12.5, %B1100 ], [ %best.10.9, %B1322 ], [ %best.10.9, %B1344 ]
  %.1776.not.not = icmp sgt i64 %low.4.8, %.1176
  br i1 %.1776.not.not, label %B1420, label %B1702

B1420:                                            ; preds = %B1398
  %.1768 = add nsw i64 %low.4.8, -1
  %.1803.inv = icmp sgt i64 %low.4.8, 0
  %.1804 = select i1 %.1803.inv, i64 0, i64 %arg.xs.5.0
  %20 = getelementptr double, ptr %arg.xs.4, i64 %.1768
  %.1818 = getelementptr double, ptr %20, i64 %.1804
  %.1819 = load double, ptr %.1818, align 8
  %.1821 = fsub double %.1819, %.493
  %.1857 = fmul double %.1821, %.1821
  %.1859 = fcmp olt double %.1857, %best.9.7
  br i1 %.1859, label %B1474.preheader, label %B1702

B1474.preheader:                                  ; preds = %B1420
  %sunkaddr107 = mul i64 %.366782825, 8
  %sunkaddr108 = getelementptr i8, ptr %arg.itself.4, i64 %sunkaddr107
  %.1902 = load i64, ptr %sunkaddr108, align 8
  br label %B1474

B1474:                                            ; preds = %B1474.preheader, %B1648
  %best.8.8 = phi double [ %best.7.9, %B1648 ], [ %best.9.7, %B1474.preheader ]
  %j.5.8 = phi i64 [ %.2050, %B1648 ], [ %.1768, %B1474.preheader ]
  %.1904.not = icmp eq i64 %.1902, %j.5.8
  br i1 %.1904.not, label %B1626, label %B1498

B1498:                                            ; preds = %B1474
  %.1920 = icmp slt i64 %j.5.8, 0
  %.1921 = select i1 %.1920, i64 %arg.zs.5.0, i64 0
  %21 = shl i64 %.1921, 3
  %scevgep100 = getelementptr i8, ptr %arg.zs.4, i64 %21
  %22 = shl i64 %j.5.8, 3
  %scevgep101 = getelementptr i8, ptr %scevgep100, i64 %22
  %.1936 = load double, ptr %scevgep101, align 8
  %.1938 = fsub double %.1936, %.431
  %.1954 = select i1 %.1920, i64 %arg.ys.5.0, i64 0
  %23 = shl i64 %.1954, 3
  %scevgep102 = getelementptr i8, ptr %arg.ys.4, i64 %23
  %24 = shl i64 %j.5.8, 3
  %scevgep103 = getelementptr i8, ptr %scevgep102, i64 %24
  %.1969 = load double, ptr %scevgep103, align 8
  %.1971 = fsub double %.1969, %.462
  %.1987 = select i1 %.1920, i64 %arg.xs.5.0, i64 0
  %25 = shl i64 %.1987, 3
  %scevgep104 = getelementptr i8, ptr %arg.xs.4, i64 %25
  %26 = shl i64 %j.5.8, 3
  %scevgep105 = getelementptr i8, ptr %scevgep104, i64 %26
  %.2002 = load double, ptr %scevgep105, align 8
  %.2004 = fsub double %.2002, %.493
  %.2005 = fmul double %.1938, %.1938
  %.2006 = fmul double %.1971, %.1971
  %.2007 = fadd double %.2005, %.2006
  %.2008 = fmul double %.2004, %.2004
  %.2009 = fadd double %.2007, %.2008
  %.12.i63 = fcmp olt double %.2009, %best.8.8
  %.13.i64 = select i1 %.12.i63, double %.2009, double %best.8.8
  br label %B1626

B1626:                                            ; preds = %B1498, %B1474
  %best.7.9 = phi double [ %best.8.8, %B1474 ], [ %.13.i64, %B1498 ]
  %.2058.not.not = icmp sgt i64 %j.5.8, %.1176
  br i1 %.2058.not.not, label %B1648, label %B1702

B1648:                                            ; preds = %B1626
  %.2050 = add nsw i64 %j.5.8, -1
  %.2083.inv = icmp sgt i64 %j.5.8, 0
  %.2084 = select i1 %.2083.inv, i64 0, i64 %arg.xs.5.0
  %27 = shl i64 %.2084, 3
  %scevgep97 = getelementptr i8, ptr %arg.xs.4, i64 %27
  %28 = shl i64 %j.5.8, 3
  %scevgep98 = getelementptr i8, ptr %scevgep97, i64 %28
  %scevgep99 = getelementptr i8, ptr %scevgep98, i64 -8
  %.2099 = load double, ptr %scevgep99, align 8
  %.2101 = fsub double %.2099, %.493
  %.2137 = fmul double %.2101, %.2101
  %.2139 = fcmp olt double %.2137, %best.7.9
  br i1 %.2139, label %B1474, label %B1702

B1702:                                            ; preds = %B1648, %B1626, %B1420, %B1398
  %best.6.7 = phi double [ %best.9.7, %B1420 ], [ %best.9.7, %B1398 ], [ %best.7.9, %B1626 ], [ %best.7.9, %B1648 ]
  %.2177 = icmp slt i64 %.1118, %.1105
  br i1 %.2177, label %B922, label %B1722

B1722:                                            ; preds = %B902.loopexit, %B1702, %B814
  %best.5.6 = phi double [ %best.6.7, %B1702 ], [ %best.4.3756, %B814 ], [ %best.12.5, %B902.loopexit ]
  %.1006 = icmp sgt i64 %.1005749755, 1
  br i1 %.1006, label %B814, label %B1726.endif

B1778:                                            ; preds = %B648, %B1726.endif, %B562.endif.endif.endif
  %best.14.2 = phi double [ 0x7FF0000000000000, %B562.endif.endif.endif ], [ %best.4.3.lcssa, %B1726.endif ], [ %best.3.1, %B648 ]
  %.2268 = tail call double @sqrt(double %best.14.2)
  %29 = getelementptr double, ptr %arg.found.4, i64 %.366782825
  store double %.2268, ptr %29, align 8
  %exitcond929.not = icmp eq i64 %.373, %arg.of_x.5.0
  br i1 %exitcond929.not, label %common.ret, label %B234

common.ret:                                       ; preds = %B1778, %B158.endif.endif
  store ptr null, ptr %retptr, align 8
  ret i32 0

B0.else:                                          ; preds = %B0
  %const_mat = add i64 %const, 1
  %.172 = icmp ne i64 %.157, %const_mat
  %.173 = icmp ne i64 %arg.rows_y, -1
  %.174.not = or i1 %.172, %.173
  br i1 %.174.not, label %B0.else.if, label %B158.endif.endif

B0.else.if:                                       ; preds = %B0.else
  %30 = or i64 %.157, %arg.rows_y
  %31 = and i64 %30, -4294967296
  %32 = icmp eq i64 %31, 0
  br i1 %32, label %33, label %40

33:                                               ; preds = %B0.else.if
  %34 = trunc i64 %arg.rows_y to i32
  %35 = trunc i64 %.157 to i32
  %36 = udiv i32 %35, %34
  %37 = urem i32 %35, %34
  %38 = zext i32 %36 to i64
  %39 = zext i32 %37 to i64
  br label %43

40:                                               ; preds = %B0.else.if
  %41 = sdiv i64 %.157, %arg.rows_y
  %42 = srem i64 %.157, %arg.rows_y
  br label %43

43:                                               ; preds = %40, %33
  %44 = phi i64 [ %38, %33 ], [ %41, %40 ]
  %45 = phi i64 [ %39, %33 ], [ %42, %40 ]
  %.179 = xor i64 %45, %arg.rows_y
  %.180 = icmp slt i64 %.179, 0
  %.181 = icmp ne i64 %45, 0
  %.182 = and i1 %.181, %.180
  %.187 = sext i1 %.182 to i64
  %.166.1 = add i64 %44, %.187
  %.203 = icmp sgt i64 %.166.1, 1
  %"$phi158.2.2.0" = select i1 %.203, double %arg.place.2, double 0x7FF0000000000000
  %.218 = icmp sgt i64 %arg.rows_y, 1
  br i1 %.218, label %B120, label %B158.endif.endif

B158.endif.endif:                                 ; preds = %B120, %43, %B0, %B0.else
  %.218686 = phi i1 [ true, %B120 ], [ false, %43 ], [ false, %B0 ], [ false, %B0.else ]
  %"$phi158.2.2.0685" = phi double [ %"$phi158.2.2.0", %B120 ], [ %"$phi158.2.2.0", %43 ], [ 0x7FF0000000000000, %B0 ], [ 0x7FF0000000000000, %B0.else ]
  %quot.0642684 = phi i64 [ %.166.1, %B120 ], [ %.166.1, %43 ], [ 0, %B0 ], [ 0, %B0.else ]
  %.203653683 = phi i1 [ %.203, %B120 ], [ %.203, %43 ], [ false, %B0 ], [ false, %B0.else ]
  %"$phi158.3.2.0" = phi double [ %arg.place.3, %B120 ], [ 0x7FF0000000000000, %43 ], [ 0x7FF0000000000000, %B0 ], [ 0x7FF0000000000000, %B0.else ]
  %.12.i = fcmp olt double %"$phi158.3.2.0", %"$phi158.2.2.0685"
  %.13.i = select i1 %.12.i, double %"$phi158.3.2.0", double %"$phi158.2.2.0685"
  %.360822.not = icmp slt i64 %arg.of_x.5.0, 1
  br i1 %.360822.not, label %common.ret, label %B234.lr.ph

B234.lr.ph:                                       ; preds = %B158.endif.endif
  %.614 = add nsw i64 %quot.0642684, -1
  %.742 = add nsw i64 %arg.rows_y, -1
  %.13.i68 = tail call i64 @llvm.smax.i64(i64 %arg.rows_y, i64 %quot.0642684)
  br label %B234

B418.endif.endif:                                 ; preds = %B350, %B234
  %"$phi418.5.2.1" = phi i64 [ 0, %B234 ], [ %3, %B350 ]
  %.13.i66 = tail call i64 @llvm.smin.i64(i64 %.614, i64 %"$phi418.5.2.1")
  br i1 %.218686, label %B494, label %B562.endif.endif.endif

B562.endif.endif.endif:                           ; preds = %B418.endif.endif, %B494
  %"$phi562.5.2.1" = phi i64 [ 0, %B418.endif.endif ], [ %4, %B494 ]
  %46 = icmp sgt i64 %.13.i68, 0
  %.13.i67 = tail call i64 @llvm.smin.i64(i64 %.742, i64 %"$phi562.5.2.1")
  br i1 %46, label %B648.preheader, label %B1778

B648.preheader:                                   ; preds = %B562.endif.endif.endif
  br label %B648

B698.endif.endif.endif:                           ; preds = %B648
  %.863 = sub nsw i64 %.13.i66, %ring.2.1
  %.13.i60 = tail call i64 @llvm.smax.i64(i64 %.863, i64 0)
  %.894 = add nsw i64 %ring.2.1, %.13.i66
  %.13.i69 = tail call i64 @llvm.smin.i64(i64 %.614, i64 %.894)
  %reass.sub = sub i64 %.13.i69, %.13.i60
  %.1006753986 = icmp ult i64 %reass.sub, %const
  br i1 %.1006753986, label %B814.lr.ph, label %B1726.endif

B814.lr.ph:                                       ; preds = %B698.endif.endif.endif
  %.962 = add nuw nsw i64 %reass.sub, 1
  %.1064 = shl nuw nsw i64 %ring.2.1, 1
  %.1105 = add nsw i64 %ring.2.1, %.13.i67
  br label %B814

B1032.else.if:                                    ; preds = %B1032.else.if.preheader, %B1032.else.if
  %high.2.7 = phi i64 [ %high.3.9, %B1032.else.if ], [ %.1207, %B1032.else.if.preheader ]
  %low.2.7 = phi i64 [ %low.3.9, %B1032.else.if ], [ %.1176, %B1032.else.if.preheader ]
  %.1234 = add nsw i64 %low.2.7, %high.2.7
  %.1242.1 = ashr i64 %.1234, 1
  %.1292 = icmp slt i64 %.1242.1, 0
  %.1293 = select i1 %.1292, i64 %arg.xs.5.0, i64 0
  %47 = getelementptr double, ptr %arg.xs.4, i64 %.1242.1
  %.1307 = getelementptr double, ptr %47, i64 %.1293
  %.1308 = load double, ptr %.1307, align 8
  %.1310 = fcmp olt double %.1308, %.493
  %.1321 = add nsw i64 %.1242.1, 1
  %high.3.9 = select i1 %.1310, i64 %high.2.7, i64 %.1242.1
  %low.3.9 = select i1 %.1310, i64 %.1321, i64 %low.2.7
  %.1352 = icmp slt i64 %low.3.9, %high.3.9
  br i1 %.1352, label %B1032.else.if, label %B1100

B1726.endif:                                      ; preds = %B1722, %B698.endif.endif.endif
  %best.4.3.lcssa = phi double [ %best.3.1, %B698.endif.endif.endif ], [ %best.5.6, %B1722 ]
  %.2213 = add nuw nsw i64 %ring.2.1, 1
  %exitcond.not76 = icmp eq i64 %.2213, %.13.i68
  br i1 %exitcond.not76, label %B1778, label %B648
}
