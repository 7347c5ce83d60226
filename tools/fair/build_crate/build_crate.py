"""Build a deposition-ready crate and its file lists from validated metadata, images, annotations and results."""

from argparse import Namespace
from datetime import date
from pathlib import Path

from bioimage_suite.core.outputs import Outputs
from bioimage_suite.core.texts import json_text
from bioimage_suite.core.tool import argument, file_list, run_tool, tool
from bioimage_suite.fair.metadata.image_list import IMAGE_ARGUMENTS, load_images, refuse_no_images
from bioimage_suite.fair.metadata.table import by_object, images_of, read_metadata_table
from bioimage_suite.fair.products.croissant import croissant, package_name
from bioimage_suite.fair.products.deposit import ACCESS, embargo_remark, read_access
from bioimage_suite.fair.products.field_places import left_out
from bioimage_suite.fair.products.package import PRODUCTS, make_package, read_study, refuse_wrong_crate, write_product
from bioimage_suite.fair.products.run_provenance import read_workflow_run, run_summary
from bioimage_suite.fair.products.study import without_emails


@tool(
    __doc__,
    argument("--product", choices=PRODUCTS, required=True),
    argument("--metadata", type=Path, required=True, help="normalised table of validate_metadata"),
    *IMAGE_ARGUMENTS,
    argument("--annotations", type=file_list, default=[], help='JSON list of {"path", "name"}: label maps, ROIs'),
    argument("--results", type=file_list, default=[], help='JSON list of {"path", "name"}: measurements, pictures'),
    argument("--workflow-run", type=Path, help="Workflow Run Crate (zip)"),
    argument("--accession", default=""),
    argument("--with-images", action="store_true", help="pack the image files too"),
    argument("--with-emails", action="store_true", help="keep the authors' e-mail addresses"),
    argument("--access", choices=ACCESS, default="open", help="who may read the files (general)"),
    argument("--embargo-until", default="", help="date on which embargoed files become open"),
    argument("--access-conditions", default="", help="when restricted files are given out"),
    argument("--crate", type=Path, help="JSON-LD to write (gide)"),
    argument("--package", type=Path, help="zip to write (all others)"),
    argument("--croissant", type=Path, help="Croissant JSON-LD to write (general)"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Read, build, check, write."""
    values = read_metadata_table(args.metadata, "metadata")
    images = load_images(args.images, args.image_table) or images_of(values)
    if by_object(values).of_all():
        refuse_no_images(images)
    study = read_study(
        values,
        images,
        files=args.images,
        annotations=args.annotations,
        results=args.results,
        product=args.product,
        with_images=args.product != "bia" or args.with_images,
    )
    if not args.with_emails:
        study = without_emails(study)
    access = read_access(args.access, args.embargo_until, args.access_conditions)
    remark = embargo_remark(access, date.today())
    if remark:
        print(remark)
    run = read_workflow_run(args.workflow_run, "workflow run") if args.workflow_run else None
    package = make_package(args.product, study, args.accession, run, access)
    if package.crate:
        refuse_wrong_crate(package.crate, args.product)
    product = outputs.file(args.crate if args.product == "gide" else args.package)
    write_product(product, package)
    if args.croissant:
        outputs.file(args.croissant).write_text(json_text(croissant(study, product)), encoding="utf-8")
        print(f"Name the package {package_name(product)}, beside its Croissant description")
    if run:
        print(run_summary(study, run))
    absent = left_out(values, args.product, annotated=bool(args.annotations), emails=args.with_emails)
    if absent:
        print(f"Filled in, but not in this product: {', '.join(absent)}")
    print(f"{len(study.images):,} images, {len(package.texts):,} text files, {len(package.files):,} files packed")


if __name__ == "__main__":
    run_tool(main)
