module fencedcache

go 1.18
