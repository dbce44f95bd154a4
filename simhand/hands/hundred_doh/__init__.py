"""The 100DOH detector of Shan et al. (CVPR 2020): its published weights run as they are, without compiled code."""
