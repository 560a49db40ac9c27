"""What goes around the network: one training repeated with other sampling, output, resolution, network and labels.

plan_points(settings)      which runs there are
run_point(...)             train one, judge it on the test slides; kept, so that a broken experiment goes on
measured(...)              rates with intervals by bootstrap over slides
claims(...)                what was found before, confirmed or refuted by figures
"""
