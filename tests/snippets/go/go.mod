module driver

go 1.18

require fencedcache v0.0.0

replace fencedcache => ../../../snippets/go
